import { describerOf } from './by-kind.ts';
import { quoteText } from '../platform/sql-quoting.ts';
import type { SideFileFault } from '../model/state.ts';
import type { Cause } from '../model/cause.ts';
import type { Refusal } from '../model/plan.ts';
import { adviceFor, capitalize, isForbidden, isFull, restoreOption, untouched } from './next-steps.ts';
import type { Notice } from './banner.ts';
import { type Commands, folderOf } from './commands.ts';
import { describeStaleSideFile } from './connection-messages.ts';
import { noSchemaRefusals } from './no-schema-refusals.ts';
import type { RefusalContext, RefusalTable } from './refusal-table.ts';
import { schemaRefusals } from './schema-refusals.ts';

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
} satisfies Partial<RefusalTable>;

/** The plan never refuses these states. */
const healthyStates = {
  current: (state) => ({ title: `Refused: ${state.kind}`, happened: [], safe: untouched, options: [] }),
  behind: (state) => ({ title: `Refused: ${state.kind}`, happened: [], safe: untouched, options: [] }),
} satisfies Partial<RefusalTable>;

const describeByKind = describerOf<Refusal['state'], RefusalContext, Notice>({
  ...noSchemaRefusals,
  ...schemaRefusals,
  ...unknownStates,
  ...healthyStates,
});

/** Why the gate refuses a state. Each is a section of docs/states.md. */
export function describeRefusal(database: string, refusal: Refusal, commands: Commands): Notice {
  const { state } = refusal;
  const advice = adviceFor(commands);
  return describeByKind(state.kind, state, { database, refusal, advice, commands });
}

/** The notice for a database that could not be inspected. */
export function describeUnreadable(
  database: string,
  reason: string,
  commands: Commands,
  { sideFile, cause }: { readonly sideFile?: SideFileFault; readonly cause?: Cause } = {},
): Notice {
  if (sideFile !== undefined) return describeStaleSideFile(database, sideFile, commands);
  if (commands.engine === 'sqlite' && isFull(reason)) return describeFullDisk(database, reason, commands);
  return {
    title: `The database could not be inspected: ${database}`,
    happened: [`${capitalize(reason)}.`, 'db-init does not know what the database contains, so it changes nothing.'],
    safe: untouched,
    options:
      commands.engine === 'sqlite' && isForbidden(reason)
        ? giveFileTo(commands)
        : [
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

/** The notice for a SQLite file that cannot be opened because the disk has no space for the files beside it. */
function describeFullDisk(database: string, reason: string, commands: Commands): Notice {
  return {
    title: `The database cannot be opened, because the disk is full: ${database}`,
    happened: [`${capitalize(reason)}.`],
    safe: untouched,
    options: [`See how full the disk is, free some space, then start again.\n${commands.disk}\n${commands.again()}`],
  };
}

/** What to do about a SQLite file that the user of db-init may not read. */
const giveFileTo = (commands: Commands): readonly string[] => [
  'Give the folder of the file, and the file, to the user that TimeTracker and db-init run as, then try again.\n' +
    `${commands.give(folderOf(commands.databaseName))}\n${commands.again()}`,
  'Or run both as the owner of the files.',
];

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
