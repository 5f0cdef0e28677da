import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import type { Transform } from 'node:stream';
import type { PostgresTarget } from '../../config/config.ts';
import { quoteName } from '../quoting.ts';
import { checkScript } from './checked-script.ts';
import { type Made, nothingMade, nothingMadeIn } from './dump-statement.ts';
import { restrict, type ScriptOptions, scriptForPsql } from './dump-script.ts';
import { type Framing, type Load, loadDirectly, loadThroughPsql, readThrough } from './load-run.ts';
import { withSynchronousCommit } from './lock.ts';
import { endSessionsOf, loadOptions, ownerNeedsSuperuser } from './server-capabilities.ts';
import { passesOf, schemaOf, stagesOf, type TocEntry } from './toc.ts';
import type { Tool } from './client-tools.ts';

export interface DumpLoader {
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
  into(target: PostgresTarget, options: { role: string | null; jobs: number; signal: AbortSignal }): Promise<void>;

  /**
   * Loads only the schema `schema`, in one transaction: the SQL `before`, the dump, the SQL `after`, all with that
   * schema as search path. Extensions are not loaded: they belong to the database. `before` and `after` run as the
   * user that connects.
   * @param commit false: everything is rolled back at the end
   * @throws Error with the message of the tool; nothing was changed, unless the connection broke during COMMIT
   */
  inOneTransaction(
    target: PostgresTarget,
    options: { before: string; after: string; commit: boolean; role: string | null; signal: AbortSignal },
  ): Promise<void>;
}

/** The tools that load a dump, and the entries to load. */
export interface Loading {
  readonly dump: string;
  readonly restore: Tool;
  /** The tool, or the reason why there is none. */
  readonly psql: Tool | string;
  /** Whether the settings of pg_restore do not suit the server, so that psql has to execute a changed script. */
  readonly throughPsql: boolean;
  readonly script: ScriptOptions;
  readonly entries: readonly TocEntry[];
  /** Only recognised statements are sent, and at most `maxBytes` of rows; null: everything that pg_restore writes. */
  readonly check: { readonly maxBytes: number } | null;
}

export function loaderOf(loading: Loading): DumpLoader {
  const { restore, psql, throughPsql, script, entries, check } = loading;
  const schema = schemaOf(entries);
  const framing = (made: Made): Framing => {
    if (check === null) return { head: '', tail: '', filter: () => scriptForPsql(script) };
    const options = { script, onUnknown: 'stop', made, ...check } as const;
    return {
      head: `${restrict()}\n${sessionPreamble(schema)}\n`,
      tail: '',
      filter: () => checkScript(options).stream,
    };
  };
  return {
    tool: `pg_restore ${restore.major}`,
    schema,

    async into(target, { role, jobs, signal }) {
      if (check !== null) {
        if (typeof psql === 'string') throw new Error(`psql is needed to load a dump, and ${psql}`);
        const checked = framing(nothingMade(schema));
        // not by pg_restore's --role: a checked script must not contain SET ROLE
        const head = checked.head + (role === null ? '' : `SET ROLE ${quoteName(role)};\n`);
        const options = { role: null, startOptions: await loadOptions(target), options: [] };
        for (const stage of stagesOf(entries, jobs)) {
          await together(stage, signal, (part, either) =>
            withLoad(loading, { target, signal: either, entries: part, ...options }, (load) =>
              loadThroughPsql(load, psql, { ...checked, head }),
            ),
          );
        }
        return;
      }
      const helped = role !== null && (await ownerNeedsSuperuser(target, role));
      for (const pass of passesOf(entries, helped)) {
        const options = { startOptions: await loadOptions(target), options: [] };
        const run = { target, signal, role: pass.as === 'owner' ? role : null, entries: pass.entries, ...options };
        await withLoad(loading, run, (load) =>
          throughPsql && typeof psql !== 'string'
            ? loadThroughPsql(load, psql, framing(nothingMade(schema)))
            : loadDirectly(load, jobs),
        );
      }
    },

    async inOneTransaction(target, { role, signal, ...work }) {
      if (typeof psql === 'string') throw new Error(`psql is needed to load a dump in one transaction, and ${psql}`);
      // no start options: the script itself overrides the settings that would hinder it
      const run = { target, signal, role, entries, startOptions: undefined, options: [`--schema=${schema}`] };
      const { head, tail } = frame(schema, work);
      const around = framing(nothingMadeIn(schema));
      await withLoad(loading, run, (load) =>
        loadThroughPsql(load, psql, { ...around, head: around.head + head, tail }),
      );
    },
  };
}

/**
 * Reads all SQL of the entries that would be loaded, without a database.
 * @param into receives the SQL
 * @throws Error with the message of pg_restore, or what `into` throws
 */
export async function readDump(
  given: { dump: string; restore: Tool; entries: readonly TocEntry[]; signal: AbortSignal },
  into: Transform,
): Promise<void> {
  await withList(given, (list) => readThrough({ ...given, options: [list] }, into));
}

/** Works on the parts at the same time; if one fails, the others are aborted. @throws the first error */
async function together<Part>(
  parts: readonly Part[],
  signal: AbortSignal,
  work: (part: Part, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const give = (part: Part): Promise<void> => work(part, either).catch((error: unknown) => failed.abort(error));
  await Promise.all(parts.map(give));
  failed.signal.throwIfAborted();
}

/**
 * Writes the list file of entries for pg_restore, and removes it after `work`.
 * @param work gets the option that names it
 */
async function withList<Result>(
  { dump, entries }: { readonly dump: string; readonly entries: readonly TocEntry[] },
  work: (option: string) => Promise<Result>,
): Promise<Result> {
  const list = `${dump}.${randomBytes(6).toString('hex')}.toc`;
  await writeFile(list, entries.map(({ line }) => `${line}\n`).join(''), { mode: 0o600 });
  try {
    return await work(`--use-list=${list}`);
  } finally {
    await rm(list, { force: true });
  }
}

interface Run {
  readonly target: PostgresTarget;
  readonly signal: AbortSignal;
  readonly role: string | null;
  readonly entries: readonly TocEntry[];
  readonly startOptions: string | undefined;
  readonly options: readonly string[];
}

/** Runs a load; if it fails or is aborted, ends its sessions in the database. */
async function withLoad(
  { dump, restore }: Loading,
  { target, signal, role, entries, startOptions, options }: Run,
  work: (load: Load) => Promise<void>,
): Promise<void> {
  signal.throwIfAborted();
  const applicationName = `db-init load ${randomBytes(6).toString('hex')}`;
  const endSessions = (): Promise<void> => endSessionsOf(applicationName, target);
  let ending = Promise.resolve();
  const onFailure = (): void => void (ending = endSessions());
  const asked = [...options, ...(role === null ? [] : [`--role=${role}`])];
  try {
    await withList({ dump, entries }, (list) =>
      work({ restore, dump, options: [...asked, list], target, startOptions, applicationName, signal, onFailure }),
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
const loadLockTimeout = `
  SET statement_timeout TO 0; SET idle_in_transaction_session_timeout TO 0;
  SELECT set_config(name, '0', false) FROM unnest(ARRAY['idle_session_timeout', 'transaction_timeout']) AS name
  WHERE current_setting(name, true) IS NOT NULL;
  ${withSynchronousCommit};`;

function frame(
  schema: string,
  work: { before: string; after: string; commit: boolean },
): Pick<Framing, 'head' | 'tail'> {
  const head = [
    sessionPreamble(schema),
    loadLockTimeout,
    'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;',
    work.before,
    ';',
  ];
  const tail = ['', 'RESET ROLE;', sessionPreamble(schema), work.after, ';', work.commit ? 'COMMIT;' : 'ROLLBACK;'];
  return { head: `${head.join('\n')}\n`, tail: `${tail.join('\n')}\n` };
}
