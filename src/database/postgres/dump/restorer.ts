import { dumpReasons } from '../../../report/dump-reasons.ts';
import { filterScript, TooMuchData } from './script-filter.ts';
import { restrict, unchangedSettings, type ScriptSettings, adaptSettings } from './script-settings.ts';
import { readHeaderBytes, type DumpHeader, oldestReader, parseDumpHeader } from './header.ts';
import type { MissingTool, UnusableArchive } from '../../../model/unusable-archive.ts';
import { reasonOf } from '../../../errors/failure.ts';
import type { ArchiveObject } from '../../../errors/obstacles.ts';
import { readServerCapabilities, endSessionsOf, findLoadOptions, ownerNeedsSuperuser } from './server-capabilities.ts';
import { namesForDatabase, type AllowedNames, namesForSchema } from './statement-cursor.ts';
import { schemaOf, selectEntries, type TocEntry, withoutOptional, passesOf, stagesOf } from './toc.ts';
import { choosePsql, choosePgRestore, findTools, newest, type Tool } from '../client-tools.ts';
import { randomBytes } from 'node:crypto';
import type { PostgresTarget } from '../../../config/config.ts';
import { quoteName } from '../../../platform/sql-quoting.ts';
import {
  type Framing,
  type PgRestoreRun,
  restoreDirectly,
  restoreThroughPsql,
  readDump,
  readToc,
  isInUnknownEncoding,
  withEntryList,
} from './pg-restore.ts';
import { withSynchronousCommit } from '../lock.ts';

/** Whether a dump can be loaded into a server, and the loader for it. */
export type RestorerResult =
  /** `warnings`: the objects that are left out, in sentences without a full stop. */
  | { readonly kind: 'ready'; readonly restorer: DumpRestorer; readonly warnings: readonly string[] }
  /** The dump cannot be read. */
  | { readonly kind: 'unusable'; readonly reason: UnusableArchive }
  | { readonly kind: 'no-tool'; readonly tool: MissingTool }
  /** The dump holds objects that TimeTracker does not create; none of its SQL was executed. */
  | { readonly kind: 'unknown-objects'; readonly objects: readonly ArchiveObject[] }
  /** The rows of the dump have more than `maxBytes` bytes. */
  | { readonly kind: 'too-much-data' };

export interface RestorerOptions {
  readonly serverMajor: number;
  /** Whether the owner trusts the dump: then all SQL that pg_restore writes is executed. */
  readonly trusted: boolean;
  /** The largest number of bytes of rows; does not apply to a trusted dump. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Finds the tools that load a dump in PostgreSQL's custom format into a server, and checks the dump.
 * @param dump its path; while it is loaded, a file with the list of entries is written beside it
 * @throws Error if the server cannot be reached
 */
export async function openRestorer(
  dump: string,
  target: PostgresTarget,
  options: RestorerOptions,
): Promise<RestorerResult> {
  const { serverMajor, trusted, maxBytes, signal } = options;
  const parsed = parseDumpHeader(await readHeaderBytes(dump));
  if (parsed.kind === 'damaged') {
    return { kind: 'unusable', reason: { kind: 'dump-header', defect: parsed.defect } };
  }
  const [tools, psqls] = [await findTools('pg_restore'), await findTools('psql')];
  signal.throwIfAborted();
  const restore = choosePgRestore(tools, oldestReader(parsed.header), serverMajor);
  if (restore === null) return { kind: 'no-tool', tool: missingReader(parsed.header, tools) };
  const psql = choosePsql(psqls, restore);
  const newestPsql = versionOf(newest(psqls));
  const offers = await readServerCapabilities(target, serverMajor);
  // pg_restore 17 and later set `transaction_timeout`, which servers before 17 refuse: psql must not get that statement
  const olderServer = restore.major >= 17 && serverMajor < 17;
  const foreignBytes = offers.encoding !== 'SQL_ASCII' && (await isInUnknownEncoding(restore, dump, signal));
  if (foreignBytes && psql === null) {
    return { kind: 'no-tool', tool: { kind: 'psql-for-encoding', encoding: offers.encoding, newest: newestPsql } };
  }
  if (olderServer && psql === null) {
    const versions = { restore: restore.major, server: serverMajor };
    return { kind: 'no-tool', tool: { kind: 'psql-for-old-server', ...versions, newest: newestPsql } };
  }
  const toc = await readToc(restore, dump, signal);
  if (typeof toc === 'string') return { kind: 'unusable', reason: { kind: 'dump', message: toc } };
  const selected = selectEntries(toc, offers);
  const settings = { withoutTransactionTimeout: olderServer, encoding: offers.encoding };
  const throughPsql = olderServer || foreignBytes;
  const plan = { dump, restore, psql, newestPsql, throughPsql, settings };
  if (trusted) {
    const { entries, warnings } = selected;
    return { kind: 'ready', restorer: createRestorer({ ...plan, entries, check: null }), warnings };
  }
  if (psql === null) return { kind: 'no-tool', tool: { kind: 'psql', newest: newestPsql } };
  const { entries, warnings } = withoutOptional(toc);
  const found = await checkStatements({ dump, restore, entries, maxBytes, signal });
  if (found.kind !== 'known') return found;
  return { kind: 'ready', restorer: createRestorer({ ...plan, entries, check: { maxBytes } }), warnings };
}

/** The result of the check of all SQL that pg_restore would execute. */
type Inspection = { readonly kind: 'known' } | Exclude<RestorerResult, { readonly kind: 'ready' }>;

/** Reads a dump to its end, and looks for unknown statements, before any of its SQL is executed. */
async function checkStatements(given: {
  dump: string;
  restore: Tool;
  entries: readonly TocEntry[];
  maxBytes: number;
  signal: AbortSignal;
}): Promise<Inspection> {
  const { maxBytes } = given;
  const { stream, summary } = filterScript({
    settings: unchangedSettings,
    onUnknown: 'collect',
    maxBytes,
    allowed: namesForDatabase(schemaOf(given.entries)),
  });
  try {
    await readDump(given, stream);
  } catch (error) {
    given.signal.throwIfAborted();
    if (error instanceof TooMuchData) return { kind: 'too-much-data' };
    return { kind: 'unusable', reason: { kind: 'dump', message: reasonOf(error) } };
  }
  return summary.unknown.length === 0 ? { kind: 'known' } : { kind: 'unknown-objects', objects: summary.unknown };
}

/** The pg_restore that a dump needs, because none of these tools can read it. */
export function missingReader(header: DumpHeader, tools: readonly Tool[]): MissingTool {
  const { pgDump, format } = header;
  return { kind: 'pg_restore', pgDump, format, reader: oldestReader(header), newest: newest(tools)?.major ?? null };
}

const versionOf = (tool: Tool | null): string | null => (tool === null ? null : `${tool.major}.${tool.minor}`);

/** Loads one dump into databases of one server. */
export interface DumpRestorer {
  /** The name of the tool in messages: `pg_restore 17`. */
  readonly tool: string;

  /** The schema of the dump that holds the application's tables. */
  readonly schema: string;

  /**
   * Loads the whole dump into an empty database.
   * @param role the owner of the created objects; null: the user that connects
   * @param jobs the number of parallel connections, if the tools support them
   * @throws Error with the message of the tool; the database is then partly loaded, and the sessions of the load have
   *   ended
   */
  loadIntoDatabase(
    target: PostgresTarget,
    options: { role: string | null; jobs: number; signal: AbortSignal },
  ): Promise<void>;

  /**
   * Loads only the schema `schema`, in one transaction: the SQL `before`, the dump, the SQL `after`, all with that
   * schema as search path. Extensions are not loaded: they belong to the database. `before` and `after` run as the
   * user that connects.
   * @param commit false: everything is rolled back at the end
   * @throws Error with the message of the tool; nothing was changed, unless the connection broke during COMMIT
   */
  loadInTransaction(
    target: PostgresTarget,
    options: { before: string; after: string; commit: boolean; role: string | null; signal: AbortSignal },
  ): Promise<void>;
}

export interface RestorePlan {
  readonly dump: string;
  readonly restore: Tool;
  /** Null if no installed one can be used; `newestPsql`: the version of the newest one, if any. */
  readonly psql: Tool | null;
  readonly newestPsql: string | null;
  /** Whether the server refuses settings of pg_restore, so that psql has to execute a changed script. */
  readonly throughPsql: boolean;
  readonly settings: ScriptSettings;
  readonly entries: readonly TocEntry[];
  /** Only recognised statements are sent, and at most `maxBytes` of rows; null: everything that pg_restore writes. */
  readonly check: { readonly maxBytes: number } | null;
}

/** Creates the restorer for a plan. Runs nothing yet. */
export function createRestorer(plan: RestorePlan): DumpRestorer {
  const { restore, psql, newestPsql, throughPsql, settings, entries, check } = plan;
  const schema = schemaOf(entries);
  const framing = (allowed: AllowedNames): Framing => {
    if (check === null) return { head: '', tail: '', filter: () => adaptSettings(settings) };
    const options = { settings, onUnknown: 'stop', allowed, ...check } as const;
    return {
      head: `${restrict()}\n${sessionPreamble(schema)}\n`,
      tail: '',
      filter: () => filterScript(options).stream,
    };
  };
  return {
    tool: `pg_restore ${restore.major}`,
    schema,

    async loadIntoDatabase(target, { role, jobs, signal }) {
      if (check !== null) {
        if (psql === null) throw new Error(dumpReasons.psqlNeeded(newestPsql));
        const checked = framing(namesForDatabase(schema));
        // pg_restore's option --role is not used: a checked script must not contain SET ROLE
        const head = checked.head + (role === null ? '' : `SET ROLE ${quoteName(role)};\n`);
        const options = { role: null, pgOptions: await findLoadOptions(target), options: [] };
        for (const stage of stagesOf(entries, jobs)) {
          await runParallel(stage, signal, (part, either) =>
            runRestore(plan, { target, signal: either, entries: part, ...options }, (load) =>
              restoreThroughPsql(load, psql, { ...checked, head }),
            ),
          );
        }
        return;
      }
      const withSuperuser = role !== null && (await ownerNeedsSuperuser(target, role));
      for (const pass of passesOf(entries, withSuperuser)) {
        const options = { pgOptions: await findLoadOptions(target), options: [] };
        const run = { target, signal, role: pass.as === 'owner' ? role : null, entries: pass.entries, ...options };
        await runRestore(plan, run, (load) =>
          throughPsql && psql !== null
            ? restoreThroughPsql(load, psql, framing(namesForDatabase(schema)))
            : restoreDirectly(load, jobs),
        );
      }
    },

    async loadInTransaction(target, { role, signal, ...work }) {
      if (psql === null) throw new Error(dumpReasons.psqlNeededForTransaction(newestPsql));
      // no start options: the script itself overrides the settings that could make it fail
      const run = { target, signal, role, entries, pgOptions: undefined, options: [`--schema=${schema}`] };
      const { head, tail } = transactionFraming(schema, work);
      const around = framing(namesForSchema(schema));
      await runRestore(plan, run, (load) =>
        restoreThroughPsql(load, psql, { ...around, head: around.head + head, tail }),
      );
    },
  };
}

/** Runs `work` for all parts at the same time; if one fails, aborts the others. @throws the first error */
async function runParallel<Part>(
  parts: readonly Part[],
  signal: AbortSignal,
  work: (part: Part, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const run = (part: Part): Promise<void> => work(part, either).catch((error: unknown) => failed.abort(error));
  await Promise.all(parts.map(run));
  failed.signal.throwIfAborted();
}

interface RestoreRun {
  readonly target: PostgresTarget;
  readonly signal: AbortSignal;
  readonly role: string | null;
  readonly entries: readonly TocEntry[];
  readonly pgOptions: string | undefined;
  readonly options: readonly string[];
}

/** Runs a load; if it fails or is aborted, ends its sessions in the database. */
async function runRestore(
  { dump, restore }: RestorePlan,
  { target, signal, role, entries, pgOptions, options }: RestoreRun,
  work: (load: PgRestoreRun) => Promise<void>,
): Promise<void> {
  signal.throwIfAborted();
  const applicationName = `db-init load ${randomBytes(6).toString('hex')}`;
  const endSessions = (): Promise<void> => endSessionsOf(applicationName, target);
  let ending = Promise.resolve();
  const onFailure = (): void => void (ending = endSessions());
  const asked = [...options, ...(role === null ? [] : [`--role=${role}`])];
  try {
    await withEntryList({ dump, entries }, (list) =>
      work({ restore, dump, options: [...asked, list], target, pgOptions, applicationName, signal, onFailure }),
    );
  } catch (error) {
    await ending;
    await endSessions();
    signal.throwIfAborted();
    throw error;
  }
}

// before and after the dump, because pg_restore leaves an empty search path and the encoding of the dump
const sessionPreamble = (schema: string): string =>
  `SET client_encoding TO 'UTF8'; SET search_path TO ${quoteName(schema)}; SET standard_conforming_strings TO on;`;
const unlimitedTime = `
  SET statement_timeout TO 0; SET idle_in_transaction_session_timeout TO 0;
  SELECT set_config(name, '0', false) FROM unnest(ARRAY['idle_session_timeout', 'transaction_timeout']) AS name
  WHERE current_setting(name, true) IS NOT NULL;
  ${withSynchronousCommit};`;

function transactionFraming(
  schema: string,
  work: { before: string; after: string; commit: boolean },
): Pick<Framing, 'head' | 'tail'> {
  const head = [
    sessionPreamble(schema),
    unlimitedTime,
    'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;',
    work.before,
    ';',
  ];
  const tail = ['', 'RESET ROLE;', sessionPreamble(schema), work.after, ';', work.commit ? 'COMMIT;' : 'ROLLBACK;'];
  return { head: `${head.join('\n')}\n`, tail: `${tail.join('\n')}\n` };
}
