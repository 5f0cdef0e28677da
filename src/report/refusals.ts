import { listRows, listSets } from './format.ts';
import { type Describers, describerOf } from './by-kind.ts';
import { quoteName, quoteText } from '../platform/sql-quoting.ts';
import type { SideFileFault, TornLoad } from '../model/state.ts';
import type { Cause } from '../model/cause.ts';
import type { Relation } from '../model/database-facts.ts';
import type { Refusal } from '../model/plan.ts';
import type { Mismatch } from '../model/difference.ts';
import { currentRelease, renderRange, releases } from '../releases.ts';
import { describeMatch, listDifferences, manualRepairOption } from './schema-differences.ts';
import {
  type Advice,
  adviceFor,
  capitalize,
  describeForeignLedgers,
  restoreOption,
  startOver,
  untouched,
} from './next-steps.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import { describeTrace } from './state-folder-messages.ts';
import { listSessions } from './quarantine-messages.ts';
import { describeStaleSideFile } from './connection-messages.ts';

/** The notice for a database that could not be inspected. */
export function describeUnreadable(
  database: string,
  reason: string,
  commands: Commands,
  { sideFile, cause }: { readonly sideFile?: SideFileFault; readonly cause?: Cause } = {},
): Notice {
  if (sideFile !== undefined) return describeStaleSideFile(database, sideFile, commands);
  return {
    title: `The database could not be inspected: ${database}`,
    happened: [`${capitalize(reason)}.`, 'db-init does not know what the database contains, so it changes nothing.'],
    safe: untouched,
    options: [
      'If another program is working on the database, let it finish and start again.',
      cause?.kind === 'rights' && commands.engine === 'postgresql'
        ? 'If the tables belong to another role, for example after a restore by a superuser, let a superuser give them to the user of ' +
          `TimeTracker with this statement in the database, then start again.\n  ${giveTablesTo(commands.user)}`
        : 'If the reason names a missing right, allow the database user to read the catalog and alembic_version.',
      'If the reason names a damaged file or page, copy the volume before you try to repair it.',
      restoreOption('Or restore a backup', commands),
    ],
  };
}

/** SQL that makes a role the owner of all tables and enumeration types beside alembic_version. */
function giveTablesTo(role: string): string {
  const here = `(SELECT relnamespace FROM pg_class WHERE oid = 'alembic_version'::regclass)`;
  return (
    `DO $$ DECLARE o text; BEGIN FOR o IN SELECT format('TABLE %s', c.oid::regclass) FROM pg_class c WHERE c.relnamespace = ${here} ` +
    `AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ` +
    `UNION ALL SELECT format('TYPE %s', t.oid::regtype) FROM pg_type t WHERE t.typnamespace = ${here} AND t.typtype = 'e' ` +
    `LOOP EXECUTE format('ALTER %s OWNER TO %I', o, ${quoteText(role)}); END LOOP; END $$;`
  );
}

interface Context {
  readonly database: string;
  readonly refusal: Refusal;
  readonly advice: Advice;
  readonly commands: Commands;
}

type Table = Describers<Refusal['state'], Context, Notice>;

/** The database holds no schema of TimeTracker. */
const withoutSchema = {
  fresh: (state, { database, commands }) => ({
    title: `The database is empty, and TT_REQUIRE_EXISTING is set: ${database}`,
    happened: [
      'An existing database was expected here. This is what a lost or wrongly mounted database volume looks like.',
      ...state.traces.map((trace) => `- ${describeTrace(trace)}`),
    ],
    safe: untouched,
    options: [
      lookAtVolumes(commands),
      restoreOption('If the data is lost, restore a backup', commands),
      `If you want a new, empty installation, unset TT_REQUIRE_EXISTING and start again.\n${commands.gate}`,
    ],
  }),
  corrupted: (state, { database, refusal, advice, commands }) => ({
    title: `Detected corrupted database state: ${database}`,
    happened: [
      `There are ${describeUnexpectedRelations(state.relations)}: ${listOf(state.relations.map(({ name }) => name))}.`,
      cleanupObstacle(refusal),
      ...state.traces.map((trace) => `- ${describeTrace(trace)}`),
    ],
    safe: untouched,
    options: corruptedOptions(refusal, advice, commands),
  }),
  foreign: (state, { database, commands }) => ({
    title: `This is another application's database: ${database}`,
    happened: [
      "Nothing in it is TimeTracker's.",
      ...describeForeignLedgers(state.foreignLedgers),
      ...(state.related.length === 0
        ? []
        : [`${state.related.length} tables refer to each other and contain rows: ${listOf(state.related)}.`]),
    ],
    safe: `${untouched} db-init never cleans such a database by itself.`,
    options: [
      'Create a separate database for TimeTracker, and set its name in DATABASE_URL.',
      `If nobody needs the data in this one, stop every program that uses it. ${startOver(commands)}`,
    ],
  }),
  elsewhere: (state, { database, commands }) => describeElsewhere(database, state, commands),
} satisfies Partial<Table>;

/** The schema is not that of the head, and the gate cannot bring it there. */
const unfitSchemas = {
  partial: (state, { database, advice, commands }) => ({
    title: `Partial migration: ${database}`,
    happened: [
      state.revisions.length === 0
        ? 'alembic_version is empty, and there are other tables, but no core tables.'
        : `alembic_version says ${listRows(state.revisions, ', ')}, but ${state.missing.length > 0 ? `core tables are missing: ${state.missing.join(', ')}` : 'it looks like a dump of which only a part was loaded'}.`,
      ...describeTornLoad(state.torn),
      'Either a migration was interrupted, or tables were lost, or this is the database of another application.',
    ],
    safe: `${untouched} db-init does not guess how to repair it.`,
    options: [
      advice.save,
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
            `Its schema is, at least nearly, that of ${listRows(state.older)}: somebody stamped the database (stamp head), and the ` +
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
} satisfies Partial<Table>;

/** The notice for version rows that somebody wrote by hand, and misspelt. */
function describeMisspelt(
  database: string,
  { revisions, misspelt }: Extract<Refusal['state'], { kind: 'ahead' }>,
  commands: Commands,
): Notice {
  const quotedRevisions = revisions.map((revision) => `"${revision}"`);
  return {
    title: `alembic_version names no revision: ${database}`,
    happened: [
      `It says ${listRows(quotedRevisions, ', ')}.`,
      ...misspelt.map(({ row, revision }) =>
        revision === null
          ? 'A row of it is empty.'
          : `There is no revision "${row}"; it looks like ${revision}, written by hand or cut off.`,
      ),
      'No release of TimeTracker writes such a row, and the application may not find its revision.',
    ],
    safe: untouched,
    options: [
      `If the schema is at that revision, correct the row in the database, then start again. The start compares the whole schema.\n${misspelt
        .map(({ row, revision }) =>
          revision === null || revisions.includes(revision)
            ? `  DELETE FROM alembic_version WHERE version_num = ${quoteText(row)};`
            : `  UPDATE alembic_version SET version_num = ${quoteText(revision)} WHERE version_num = ${quoteText(row)};`,
        )
        .join('\n')}`,
      `If you do not know where the schema is, empty the table instead: the start then compares the schema with that of every revision.\n  DELETE FROM alembic_version;\n${commands.gate}`,
      restoreOption('Or restore a backup', commands),
    ],
  };
}

/** What the database holds is not known. */
const unknownStates = {
  interrupted: (state, { database, commands }) => ({
    title: `A restore is running, or was interrupted: ${database}`,
    happened: [state.journal.says ?? `Its journal ${state.journal.file} cannot be read.`],
    safe: `${untouched} No database is dropped before db-init knows which one is live.`,
    options: [
      state.journal.says === null
        ? 'Start the version of db-init that began the restore: it finishes or undoes it. ' +
          'If that version cannot read the journal either, read it yourself: it names both databases. Move the journal ' +
          'away when the right database has the live name.'
        : `Start the gate: it waits for a running restore, and finishes or undoes an interrupted one.\n${commands.gate}`,
    ],
  }),
  unreadable: (state, { database, commands }) => describeUnreadable(database, state.reason, commands, state),
} satisfies Partial<Table>;

/** The plan never refuses these states. */
const healthyStates = {
  current: (state) => ({ title: `Refused: ${state.kind}`, happened: [], safe: untouched, options: [] }),
  behind: (state) => ({ title: `Refused: ${state.kind}`, happened: [], safe: untouched, options: [] }),
} satisfies Partial<Table>;

const describeByKind = describerOf<Refusal['state'], Context, Notice>({
  ...withoutSchema,
  ...unfitSchemas,
  ...unknownStates,
  ...healthyStates,
});

/** Why the gate refuses a state. Each is a section of docs/states.md. */
export function describeRefusal(database: string, refusal: Refusal, commands: Commands): Notice {
  const { state } = refusal;
  const advice = adviceFor(commands);
  return describeByKind(state.kind, state, { database, refusal, advice, commands });
}

/** The relations that prevent a new schema in a database without one. */
export function describeUnexpectedRelations(relations: readonly Relation[]): string {
  return relations.every(({ kind }) => kind === 'type')
    ? 'types of a former installation, with names that the schema needs'
    : 'tables, but neither alembic_version nor any core table';
}

/** The notice for an installation in another schema than the one in use. */
function describeElsewhere(
  database: string,
  { schema, holding, hiding }: Extract<Refusal['state'], { kind: 'elsewhere' }>,
  commands: Commands,
): Notice {
  const place = listOf(holding);
  return {
    title: `TimeTracker's tables are in another schema than the one that would be used: ${database}`,
    happened: [
      `Its tables are in schema ${place}.`,
      schema === null
        ? 'A connection with these settings uses no schema: its search_path names no existing schema that this user may use.'
        : `A connection with these settings uses schema ${schema} (its current_schema()), which ${hiding.length === 0 ? 'has no core table' : 'is not a complete installation'}.`,
      hiding.length === 0
        ? 'The application would find an empty database there, and your data would look lost.'
        : `The search_path names schema ${schema} first, so its tables hide the others of the same name: ${hiding.join(', ')}.`,
    ],
    safe: `${untouched} No second installation was created.`,
    options: [
      `If the tables in schema ${place} are yours, make the user of DATABASE_URL use that schema, then start again.\n` +
        `${commands.sql(`ALTER ROLE CURRENT_USER IN DATABASE ${quoteName(commands.databaseName)} SET search_path TO ${quoteName(holding[0] ?? '')}`)}\n${commands.gate}`,
      `Or add this to DATABASE_URL of db-init and of the application: ?options=-csearch_path%3D${encodeURIComponent(holding[0] ?? '')}`,
      'If you want a second installation, create a separate database for it, and set its name in DATABASE_URL.',
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

function describeUnversioned(
  database: string,
  { present, foreignLedgers, recognised, identity, torn }: Extract<Refusal['state'], { kind: 'unversioned' }>,
  commands: Commands,
): Notice {
  const title = `The database has no version information: ${database}`;
  const advice = adviceFor(commands);
  const there =
    present.length === 0
      ? 'There are tables of TimeTracker, but neither core tables nor alembic_version.'
      : `There are core tables (${present.join(', ')}), but alembic_version is missing or empty.`;
  if (torn !== null) {
    return {
      title,
      happened: [there, ...describeTornLoad(torn)],
      safe: `${untouched} It is not adopted, because nothing can supply the missing parts.`,
      options: [
        restoreOption('Restore the backup again, completely', commands),
        advice.save,
        startOver(commands),
        ...(identity.kind === 'match'
          ? [
              `If you are certain that nothing is missing, stamp it anyway.\n${forcedAdoption(identity.revisions, commands)}`,
            ]
          : []),
      ],
    };
  }
  switch (identity.kind) {
    case 'match':
      return {
        title,
        happened: [there, ...describeMatch(identity)],
        safe: untouched,
        options: [`Start the gate: it stamps the database and migrates it.\n${commands.gate}`],
      };
    case 'none': {
      const early = isFromBeforeClients(identity.mismatches);
      const same = identity.alike.length === 0 ? '' : ` (${listSets(identity.alike)} has the same schema)`;
      return {
        title,
        happened: [
          `${there} Its schema matches no known revision.`,
          ...(early
            ? [
                'It is the schema of TimeTracker before 1.3: the name of the client is in projects.client, and there is no ' +
                  'table of clients. Those releases stored no version information.',
              ]
            : []),
          ...describeForeignLedgers(foreignLedgers),
          `The nearest is ${listRows(identity.nearest)}${same}. Compared with it, this is missing or different:`,
          ...listDifferences(identity.mismatches),
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
              `${commands.adopt} --dry-run --revision ${identity.nearest.join(',')}\n` +
              forcedAdoption(identity.nearest, commands)
            : "If it is another application's, create a separate database for TimeTracker, and set its name in DATABASE_URL.",
          restoreOption('Or restore a backup', commands),
          // a reset refuses what may be somebody else's
          recognised ? advice.reset : startOver(commands),
        ],
      };
    }
  }
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

function lookAtVolumes({ compose, composeFile }: Commands): string {
  const listing = compose ? `\n  docker volume ls\n${composeFile}` : '';
  return `Check which volume is mounted, and whether your data is on another one.${listing}`;
}

function cleanupObstacle({ reason, others }: Refusal): string {
  switch (reason) {
    case 'cleanup-is-off':
      return 'Automatic cleanup is off: TT_SKIP_DB_CLEANUP is set.';
    case 'cleanup-needs-postgresql':
      return 'On SQLite db-init does not clean by itself: the file may contain all of your data.';
    case 'must-not-be-empty':
      return 'They are not moved, and no new schema is created: TT_REQUIRE_EXISTING is set.';
    case 'others-are-connected':
      return `They are not moved, because other sessions are connected to this database: ${listSessions(others)}.`;
    case 'state':
    case 'repair-is-off':
    case 'unrepairable':
    case 'older-schema':
    case 'incomplete-at-head':
      return '';
  }
}

function corruptedOptions(
  { reason }: Refusal,
  { whichDatabase, clean, startEmpty, giveUp }: Advice,
  commands: Commands,
): readonly string[] {
  switch (reason) {
    case 'others-are-connected':
      return [`Stop the connected programs, then start again.\n${commands.stop}\n${commands.gate}`];
    case 'must-not-be-empty':
      return [
        lookAtVolumes(commands),
        whichDatabase,
        restoreOption('If the data is lost, restore a backup', commands),
        `If you want a new, empty installation, unset TT_REQUIRE_EXISTING${startEmpty}`,
      ];
    case 'cleanup-is-off':
    case 'cleanup-needs-postgresql':
    case 'state':
    case 'repair-is-off':
    case 'unrepairable':
    case 'older-schema':
    case 'incomplete-at-head':
      return [
        whichDatabase,
        ...clean,
        restoreOption('If TimeTracker was here before, restore a backup', commands),
        ...(giveUp === null ? [] : [giveUp]),
      ];
  }
}

function listOf(names: readonly string[]): string {
  return names.length <= 10 ? names.join(', ') : `${names.slice(0, 10).join(', ')} and ${names.length - 10} more`;
}
