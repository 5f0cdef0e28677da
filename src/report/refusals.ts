import { type Describers, describerOf } from './by-kind.ts';
import { quoteName, quoteText } from '../platform/sql-quoting.ts';
import type { SideFileFault, TornLoad } from '../model/state.ts';
import type { Cause } from '../model/cause.ts';
import type { Relation } from '../model/database-facts.ts';
import type { Refusal } from '../model/plan.ts';
import type { Mismatch } from '../model/difference.ts';
import { currentRelease, renderRange, releases } from '../releases.ts';
import { describeMatch, listRows, listSets, listDifferences, manualRepairOption } from './schema-differences.ts';
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
    happened: [`${capitalize(reason)}.`, 'What is in it is not known, and not knowing is a reason to touch nothing.'],
    safe: untouched,
    options: [
      'If another program is at work on the database, let it finish and start again.',
      cause?.kind === 'rights' && commands.engine === 'postgresql'
        ? 'If the tables belong to another role, as after a restore by a superuser, give them to the user of TimeTracker: let a ' +
          `superuser run this in the database, then start again.\n  ${giveTablesTo(commands.user)}`
        : 'If the reason speaks of rights, let the database user read the catalog and alembic_version.',
      'If the reason speaks of a damaged file or page, copy the volume before any attempt to repair it.',
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
      ...state.traces.map((trace) => `- ${trace}`),
    ],
    safe: untouched,
    options: [
      lookAtVolumes(commands),
      restoreOption('If the data is lost, restore a backup', commands),
      `If a new, empty installation is what you want, unset TT_REQUIRE_EXISTING and start again.\n${commands.gate}`,
    ],
  }),
  corrupted: (state, { database, refusal, advice, commands }) => ({
    title: `Detected corrupted database state: ${database}`,
    happened: [
      `There are ${describeUnexpectedRelations(state.relations)}: ${listOf(state.relations.map(({ name }) => name))}.`,
      cleanupObstacle(refusal),
      ...state.traces.map((trace) => `- ${trace}`),
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
        : [`${state.related.length} tables refer to each other and hold rows: ${listOf(state.related)}.`]),
    ],
    safe: `${untouched} It is never cleaned by itself.`,
    options: [
      'Give TimeTracker a database of its own, and its name in DATABASE_URL.',
      `If nobody needs what is in this one, stop whatever uses it. ${startOver(commands)}`,
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
        ? 'alembic_version is there, but empty, beside tables that are not core tables.'
        : `alembic_version says ${listRows(state.revisions, ', ')}, but ${state.missing.length > 0 ? `core tables are missing: ${state.missing.join(', ')}` : 'it looks like a dump that was loaded in part'}.`,
      ...describeTornLoad(state.torn),
      'Migrations were cut off here, tables were lost, or this is the database of another application.',
    ],
    safe: `${untouched} It is never mended by guessing.`,
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
              "database, or a build of somebody's own. There is no way down.",
            ...state.revisions.flatMap(describeRelease),
          ],
          safe: untouched,
          options: [
            'Use a newer db-init, at least as new as the application that migrated this database: get its image or its ' +
              `sources, then start it.\n${commands.update}`,
            'If the application is right and db-init alone is old, set TT_ALLOW_NEWER_SCHEMA=true to let it pass unchecked.',
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
        ? `Brought to ${listRows(state.revisions, ', ')}, it would lack this, or have it otherwise:`
        : `It says ${listRows(state.revisions, ', ')}, but this is missing or different:`,
      ...listDifferences(state.differences, refusal.unsafe),
      ...(refusal.reason === 'older-schema' && state.older !== null
        ? [
            `Its schema is that of ${listRows(state.older)}, or nearly: somebody stamped it (stamp head), and the revisions in ` +
              'between never ran. To add what is missing would not make the rows that they make (roles, permissions, rates).',
          ]
        : []),
      ...(refusal.reason === 'incomplete-at-head'
        ? ['It is not mended, because TT_DRIFT is set to fail: what had been migrated was rolled back.']
        : []),
      ...(refusal.reason === 'repair-is-off' ? ['It is not mended, because TT_DRIFT is set to fail.'] : []),
      ...(refusal.reason === 'unrepairable' ? ['Nothing is mended while something cannot be mended safely.'] : []),
    ],
    safe: untouched,
    options: [
      ...driftedOptions(refusal, advice.save, state.older, commands),
      restoreOption('Or restore a backup that has what is missing', commands),
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
    title: `A restore is under way, or did not finish: ${database}`,
    happened: [state.journal.says ?? `Its journal ${state.journal.file} cannot be read.`],
    safe: `${untouched} No database is dropped before it is known which one is live.`,
    options: [
      state.journal.says === null
        ? 'Start the version of db-init that began the restore: it finishes it or takes it back. ' +
          'If that one cannot read the journal either, look into it: it names both databases. Move it away once ' +
          'the right one bears the live name.'
        : `Start the gate: it waits for a restore that is at work, and finishes or takes back one that is not.\n${commands.gate}`,
    ],
  }),
  unreadable: (state, { database, commands }) => describeUnreadable(database, state.reason, commands, state),
} satisfies Partial<Table>;

/** The gate acts on these states: the plan never refuses them. */
const healthyStates = {
  // the gate acts on these states: the plan never refuses them
  current: (state) => ({ title: `Refused: ${state.kind}`, happened: [], safe: untouched, options: [] }),
  // the gate acts on these states: the plan never refuses them
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

/** What stands in the way of a new schema in a database without one. */
export function describeUnexpectedRelations(relations: readonly Relation[]): string {
  return relations.every(({ kind }) => kind === 'type')
    ? 'types that a former installation left, under names that the schema needs'
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
    title: `TimeTracker is in another schema than the one that would be used: ${database}`,
    happened: [
      `Its tables are in schema ${place}.`,
      schema === null
        ? 'A connection with these settings works in no schema: its search_path names none that is there and that this user may use.'
        : `A connection with these settings works in schema ${schema} (its current_schema()), which ${hiding.length === 0 ? 'has no core table' : 'is no whole installation'}.`,
      hiding.length === 0
        ? 'The application would find an empty database there, and your data would seem to be lost.'
        : `Because the search_path names it first, schema ${schema} hides tables of that name: ${hiding.join(', ')}.`,
    ],
    safe: `${untouched} No second installation was begun.`,
    options: [
      `If the tables in schema ${place} are yours, let the user of DATABASE_URL work there, then start again.\n` +
        `${commands.sql(`ALTER ROLE CURRENT_USER IN DATABASE ${quoteName(commands.databaseName)} SET search_path TO ${quoteName(holding[0] ?? '')}`)}\n${commands.gate}`,
      `Or say so in DATABASE_URL, in the application's as well: ?options=-csearch_path%3D${encodeURIComponent(holding[0] ?? '')}`,
      'If another installation is what you want, give it a database of its own, and its name in DATABASE_URL.',
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
      `Stamp it with the revision that it is at, after a safety backup, and let the others run.\n${adopt}\n${commands.gate}`,
    ];
  }
  if (reason === 'incomplete-at-head') {
    return [
      save,
      `Put it right by hand, or set TT_DRIFT=repair to have it mended, then start again.\n${commands.gate}`,
    ];
  }
  const see = `See the SQL that would mend it, and what is in the way. Nothing is changed by that.\n${commands.repair} --dry-run`;
  if (reason !== 'unrepairable') {
    return [see, save, `Have it mended, now or with TT_DRIFT=repair at the next start.\n${commands.repair}`];
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
      ? 'Tables of TimeTracker are there, but neither core tables nor alembic_version.'
      : `Core tables are there (${present.join(', ')}), but alembic_version is missing or empty.`;
  if (torn !== null) {
    return {
      title,
      happened: [there, ...describeTornLoad(torn)],
      safe: `${untouched} It is not adopted: what is missing cannot be made up.`,
      options: [
        restoreOption('Restore the backup once more, to its end', commands),
        advice.save,
        startOver(commands),
        ...(identity.kind === 'match'
          ? [
              `If you know that everything is there, stamp it all the same.\n${forcedAdoption(identity.revisions, commands)}`,
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
      const same = identity.alike.length === 0 ? '' : ` (in the schema the same as ${listSets(identity.alike)})`;
      return {
        title,
        happened: [
          `${there} Its schema is that of no known revision.`,
          ...(early
            ? [
                'It is that of TimeTracker before 1.3: projects name their client themselves (projects.client), and there is no ' +
                  'table of clients. Those releases kept no version information.',
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
                'Let TimeTracker 1.3 or 1.4 start on it once: it makes clients of the names. Then stamp the database, and start again: ' +
                  `what is missing of the first revisions is added then.\n${forcedAdoption(['002'], commands)}\n${commands.gate}`,
              ]
            : []),
          'See every difference, put it right by hand, and start again: the revision is then found by the schema.\n' +
            `${commands.differences}\n${commands.open}`,
          recognised
            ? 'If you know which revision it is at, compare it with that one, and stamp it after a backup.\n' +
              `${commands.adopt} --dry-run --revision ${identity.nearest.join(',')}\n` +
              forcedAdoption(identity.nearest, commands)
            : "If it is another application's, give TimeTracker a database of its own, and its name in DATABASE_URL.",
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
    'This is what a restore leaves behind that was cut off: tables are there, but not what comes after them.',
    ...(keyless.length === 0 ? [] : [`- no primary key: ${keyless.join(', ')}`]),
    ...(empty.length === 0 ? [] : [`- no rows: ${empty.join(', ')}`]),
    ...(backups.length === 0 ? [] : [`Backups that are there: ${backups.slice(0, shownBackups).join(', ')}${more}.`]),
  ];
}

/** The command that stamps a database whatever its schema is. */
export function forcedAdoption(revisions: readonly string[], commands: Commands): string {
  return `${commands.adopt} --force --yes --revision ${revisions.join(',')}`;
}

function lookAtVolumes({ compose, composeFile }: Commands): string {
  const listing = compose ? `\n  docker volume ls\n${composeFile}` : '';
  return `Look which volume is mounted, and whether your data is in another one.${listing}`;
}

function cleanupObstacle({ reason, others }: Refusal): string {
  switch (reason) {
    case 'cleanup-is-off':
      return 'Automatic cleanup is off: TT_SKIP_DB_CLEANUP is set.';
    case 'cleanup-needs-postgresql':
      return 'On SQLite nothing is cleaned by itself: what is in the file may be all there is.';
    case 'must-not-be-empty':
      return 'They are not moved, and no new schema is made: TT_REQUIRE_EXISTING is set, and there was a database here.';
    case 'others-are-connected':
      return `They are not moved while others are connected to this database: ${listSessions(others)}.`;
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
      return [`Stop what is connected, then start again.\n${commands.stop}\n${commands.gate}`];
    case 'must-not-be-empty':
      return [
        lookAtVolumes(commands),
        whichDatabase,
        restoreOption('If the data is lost, restore a backup', commands),
        `If a new, empty installation is what you want, unset TT_REQUIRE_EXISTING${startEmpty}`,
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
