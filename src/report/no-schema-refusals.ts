import { quoteName } from '../platform/sql-quoting.ts';
import type { Relation } from '../model/database-facts.ts';
import type { Refusal } from '../model/plan.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import { type Advice, describeForeignLedgers, restoreOption, startOver, untouched } from './next-steps.ts';
import { listSessions } from './quarantine-messages.ts';
import type { RefusalTable } from './refusal-table.ts';
import { describeTrace } from './state-folder-messages.ts';

/** The database holds no schema of TimeTracker. */
export const noSchemaRefusals = {
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
} satisfies Partial<RefusalTable>;

/** The relations that prevent a new schema in a database without one. */
export function describeUnexpectedRelations(relations: readonly Relation[]): string {
  return relations.every(({ kind }) => kind === 'type')
    ? 'types of a former installation, with names that the schema needs'
    : 'tables, but neither alembic_version nor any core table';
}

/** The notice for an installation in another schema than the one in use. */
function describeElsewhere(
  database: string,
  { schema, holding, forbidden, hiding }: Extract<Refusal['state'], { kind: 'elsewhere' }>,
  commands: Commands,
): Notice {
  const place = listOf(holding);
  const another =
    'If you want a second installation, create a separate database for it, and set its name in DATABASE_URL.';
  const [closed] = forbidden;
  if (closed !== undefined && forbidden.length === holding.length) {
    const grant = `GRANT USAGE, CREATE ON SCHEMA ${quoteName(closed)} TO ${quoteName(commands.user)}`;
    return {
      title: `The database user may not use the schema of TimeTracker's tables: ${database}`,
      happened: [
        `Its tables are in schema ${place}. The user ${commands.user} lacks the right USAGE there. This is so if somebody else ` +
          'created the schema, or created it again (DROP SCHEMA, CREATE SCHEMA).',
      ],
      safe: `${untouched} No second installation was created.`,
      options: [
        `If the tables in schema ${place} are yours, let a superuser or the owner of the schema grant the right, then start again.\n` +
          `${commands.superuser('psql', ['-c', grant, commands.databaseName])}\n${commands.gate}`,
        another,
      ],
    };
  }
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
      another,
    ],
  };
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
