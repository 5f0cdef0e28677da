import { quoteText } from '../platform/sql-quoting.ts';
import type { Identity, TornLoad } from '../model/state.ts';
import type { Refusal } from '../model/plan.ts';
import type { Mismatch } from '../model/difference.ts';
import { currentRelease, renderRange, releases } from '../releases.ts';
import { printable } from '../platform/printable.ts';
import { list, listRows, listSets, shortenList } from './format.ts';
import { describeMatch, listDifferences, manualRepairOption } from './schema-differences.ts';
import { adviceFor, describeForeignLedgers, restoreOption, startOver, untouched } from './next-steps.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import type { RefusalTable } from './refusal-table.ts';

/** The schema is not that of the head, and the gate cannot bring it there. */
export const schemaRefusals = {
  partial: (state, { database, advice, commands }) => ({
    title: `Partial migration: ${database}`,
    happened: [
      state.revisions.length === 0
        ? 'alembic_version is empty, and there are other tables, but no core tables.'
        : `alembic_version says ${listRows(state.revisions, ', ')}, but ${state.missing.length > 0 ? `core tables are missing: ${state.missing.join(', ')}` : 'it looks like a dump of which only a part was loaded'}.`,
      ...describeTornLoad(state.torn),
      state.renamed.length > 0
        ? `${list(state.renamed.map(({ table, found }) => `${table} is called ${printable(found)} here`))}.`
        : 'Either a migration was interrupted, or tables were lost, or this is the database of another application.',
    ],
    safe: `${untouched} db-init does not guess how to repair it.`,
    options: [
      advice.save,
      ...(state.renamed.length > 0 ? [renameOption(state.renamed.flatMap(({ remedy }) => remedy))] : []),
      startOver(commands),
      restoreOption('Or restore a backup', commands),
      ...(advice.giveUp === null ? [] : [advice.giveUp]),
    ],
  }),
  unversioned: (state, { database, commands }) => describeUnversioned(database, state, commands),
  ahead: (state, { database, commands }) =>
    state.misspelt.length > 0
      ? describeMisspelt(database, state, commands)
      : {
          title: `The database is newer than this image: ${database}`,
          happened: [
            `It is at ${listRows(state.revisions, ', ')}; this image does not know ${listRows(state.unknown, ', ')}.`,
            `This image is for TimeTracker ${currentRelease.to} (${currentRelease.heads.join(', ')}). A newer release has migrated the ` +
              'database, or a build of your own. A database cannot be migrated back.',
            ...state.revisions.flatMap(describeRelease),
          ],
          safe: untouched,
          options: [
            'Use a newer db-init, at least as new as the application that migrated this database: get its image or its ' +
              `source code, then start it.\n${commands.update}`,
            'If the application is the right one and only db-init is too old, set TT_ALLOW_NEWER_SCHEMA=true. The schema is then not checked.',
            restoreOption(
              'To go back to the older application, restore the backup that was made before the upgrade',
              commands,
            ),
          ],
        },
  drifted: (state, { database, refusal, advice, commands }) => ({
    title: `The schema differs from its revision: ${database}`,
    happened: [
      refusal.reason === 'incomplete-at-head'
        ? `After the migration to ${listRows(state.revisions, ', ')}, this was still missing or different:`
        : `Its version is ${listRows(state.revisions, ', ')}, but this is missing or different:`,
      ...listDifferences(state.differences, refusal.unsafe),
      ...(refusal.reason === 'older-schema' && state.older !== null
        ? [
            `Its schema is, at least nearly, that of ${listRows(state.older)}: somebody stamped the database (alembic stamp), and the ` +
              'revisions in between never ran. A repair would not add the rows that they insert (roles, permissions, rates).',
          ]
        : []),
      ...(refusal.reason === 'incomplete-at-head'
        ? ['It is not repaired, because TT_DRIFT is set to fail. The migration was rolled back.']
        : []),
      ...(refusal.reason === 'repair-is-off' ? ['It is not repaired, because TT_DRIFT is set to fail.'] : []),
      ...(refusal.reason === 'unrepairable' ? ['Some of it cannot be repaired safely, so nothing is repaired.'] : []),
    ],
    safe: untouched,
    options: [
      ...driftedOptions(refusal, advice.save, state.older, commands),
      restoreOption('Or restore a backup that has the missing parts', commands),
      advice.reset,
    ],
  }),
} satisfies Partial<RefusalTable>;

const renameOption = (statements: readonly string[]): string =>
  `Stop the application, give the tables their names again, then start again.\n${statements.map((each) => `  ${each};`).join('\n')}`;

/** The notice for version rows that somebody wrote by hand, and misspelt. */
function describeMisspelt(
  database: string,
  { revisions, misspelt }: Extract<Refusal['state'], { kind: 'ahead' }>,
  commands: Commands,
): Notice {
  const quotedRevisions = revisions.map((revision) => `"${revision}"`);
  // equal rows have one fault, and one statement corrects them all
  const faults = misspelt.map(({ row, revision }) =>
    revision === null
      ? 'A row of it is empty.'
      : `There is no revision "${row}"; it looks like ${revision}, written by hand or cut off.`,
  );
  const corrections = misspelt.map(({ row, revision }) =>
    revision === null || revisions.includes(revision)
      ? `DELETE FROM alembic_version WHERE ${row === '' ? "coalesce(version_num, '')" : 'version_num'} = ${quoteText(row)};`
      : `UPDATE alembic_version SET version_num = ${quoteText(revision)} WHERE version_num = ${quoteText(row)};`,
  );
  return {
    title: `alembic_version names no revision: ${database}`,
    happened: [
      `It says ${listRows(quotedRevisions, ', ')}.`,
      ...shortenList([...new Set(faults)]),
      'No release of TimeTracker writes such a row, and the application may not find its revision.',
    ],
    safe: untouched,
    options: [
      `If the schema is at that revision, correct the row in the database, then start again. The start compares the whole schema.\n${shortenList(
        [...new Set(corrections)],
        '-- ',
      )
        .map((line) => `  ${line}`)
        .join('\n')}`,
      `If you do not know where the schema is, empty the table instead: the start then compares the schema with that of every revision.\n  DELETE FROM alembic_version;\n${commands.gate}`,
      restoreOption('Or restore a backup', commands),
    ],
  };
}

function driftedOptions(
  { reason, unsafe }: Refusal,
  save: string,
  older: readonly string[] | null,
  commands: Commands,
): readonly string[] {
  if (reason === 'older-schema' && older !== null) {
    const adopt = `${commands.adopt} --revision ${older.join(',')}`;
    return [
      save,
      `After that backup, stamp it with the revision of its schema, and let the gate run the later ones.\n${adopt}\n${commands.gate}`,
    ];
  }
  if (reason === 'incomplete-at-head') {
    return [
      save,
      `Correct it by hand, or set TT_DRIFT=repair to have db-init repair it, then start again.\n${commands.gate}`,
    ];
  }
  const see = `See the SQL of the repair, and what prevents it. This changes nothing.\n${commands.repair} --dry-run`;
  if (reason !== 'unrepairable') {
    return [see, save, `Repair it now, or set TT_DRIFT=repair for the next start.\n${commands.repair}`];
  }
  return [see, save, manualRepairOption(unsafe, commands)];
}

/** The releases that a row belongs to, where they are known. */
function describeRelease(row: string): readonly string[] {
  const found = releases.find(({ heads }) => heads.includes(row));
  return found === undefined ? [] : [`${row} is a revision of TimeTracker ${renderRange(found)}.`];
}

type Unversioned = Extract<Refusal['state'], { kind: 'unversioned' }>;

function describeUnversioned(database: string, state: Unversioned, commands: Commands): Notice {
  const title = `The database has no version information: ${database}`;
  const { present, identity, torn } = state;
  const there =
    present.length === 0
      ? 'There are tables of TimeTracker, but neither core tables nor alembic_version.'
      : `There are core tables (${present.join(', ')}), but alembic_version is missing or empty.`;
  if (torn !== null) return { title, ...describeTornUnversioned(there, torn, identity, commands) };
  switch (identity.kind) {
    case 'match':
      return {
        title,
        happened: [there, ...describeMatch(identity)],
        safe: untouched,
        options: [`Start the gate: it stamps the database and migrates it.\n${commands.gate}`],
      };
    case 'none':
      return { title, ...describeUnidentified(there, state, identity, commands) };
  }
}

/** Only a part of the schema or of the rows was loaded. */
function describeTornUnversioned(
  there: string,
  torn: TornLoad,
  identity: Identity,
  commands: Commands,
): Omit<Notice, 'title'> {
  return {
    happened: [there, ...describeTornLoad(torn)],
    safe: `${untouched} It is not adopted, because nothing can supply the missing parts.`,
    options: [
      restoreOption('Restore the backup again, completely', commands),
      adviceFor(commands).save,
      startOver(commands),
      ...(identity.kind === 'match'
        ? [
            `If you are certain that nothing is missing, stamp it anyway.\n${forcedAdoption(identity.revisions, commands)}`,
          ]
        : []),
    ],
  };
}

/** No known revision has this schema. */
function describeUnidentified(
  there: string,
  { foreignLedgers, recognised }: Unversioned,
  { nearest, alike, mismatches }: Extract<Identity, { kind: 'none' }>,
  commands: Commands,
): Omit<Notice, 'title'> {
  const advice = adviceFor(commands);
  const early = isFromBeforeClients(mismatches);
  const same = alike.length === 0 ? '' : ` (${listSets(alike)} has the same schema)`;
  return {
    happened: [
      `${there} Its schema matches no known revision.`,
      ...(early
        ? [
            'It is the schema of TimeTracker before 1.3: the name of the client is in projects.client, and there is no ' +
              'table of clients. Those releases stored no version information.',
          ]
        : []),
      ...describeForeignLedgers(foreignLedgers),
      `The nearest is ${listRows(nearest)}${same}. Compared with it, this is missing or different:`,
      ...listDifferences(mismatches),
    ],
    safe: untouched,
    options: [
      advice.save,
      ...(early
        ? [
            'Start TimeTracker 1.3 or 1.4 on it once: it creates the clients from the names. Then stamp the database, and start ' +
              `again: the gate adds what is missing of the first revisions.\n${forcedAdoption(['002'], commands)}\n${commands.gate}`,
          ]
        : []),
      'See every difference, correct it by hand, and start again: db-init then finds the revision from the schema.\n' +
        `${commands.differences}\n${commands.open}`,
      recognised
        ? 'If you know its revision, compare the schema with that revision, make a backup, and stamp the database.\n' +
          `${commands.adopt} --dry-run --revision ${nearest.join(',')}\n` +
          forcedAdoption(nearest, commands)
        : "If it is another application's, create a separate database for TimeTracker, and set its name in DATABASE_URL.",
      restoreOption('Or restore a backup', commands),
      // a reset refuses what may be somebody else's
      recognised ? advice.reset : startOver(commands),
    ],
  };
}

/** Whether there are neither clients nor references of projects to them, which came with 1.3. */
function isFromBeforeClients(mismatches: readonly Mismatch[]): boolean {
  const lacks = (table: string, column?: string): boolean =>
    mismatches.some(
      (each) =>
        (each.kind === 'missing-table' && each.table === table) ||
        (each.kind === 'missing-column' && each.table === table && each.column === column),
    );
  const itsOwn = !lacks('users', 'username') && !lacks('projects', 'name') && !lacks('time_entries');
  return itsOwn && lacks('clients') && lacks('projects', 'client_id');
}

/** Of many backups the newest are named. */
const shownBackups = 3;

/** The traces of an interrupted load, as lines of a banner. */
function describeTornLoad(torn: TornLoad | null): readonly string[] {
  if (torn === null) return [];
  const { keyless, empty, backups = [] } = torn;
  const more = backups.length > shownBackups ? `, and ${backups.length - shownBackups} older ones` : '';
  return [
    'It looks like the result of an interrupted restore: the tables exist, but later parts of the dump are missing.',
    ...(keyless.length === 0 ? [] : [`- no primary key: ${keyless.join(', ')}`]),
    ...(empty.length === 0 ? [] : [`- no rows: ${empty.join(', ')}`]),
    ...(backups.length === 0 ? [] : [`Existing backups: ${backups.slice(0, shownBackups).join(', ')}${more}.`]),
  ];
}

/** The command that stamps a database whatever its schema is. */
export function forcedAdoption(revisions: readonly string[], commands: Commands): string {
  return `${commands.adopt} --force --yes --revision ${revisions.join(',')}`;
}
