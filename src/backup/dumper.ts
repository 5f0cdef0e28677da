import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { databaseEntryNames } from '../archive/manifest.ts';
import type { PostgresTarget, SqliteTarget } from '../config/config.ts';
import { sharesDatabase } from '../database/current-schema.ts';
import type { Database } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { number, only, optionalText, text } from '../database/row-values.ts';
import { requireConnections } from '../database/postgres/connection-limit.ts';
import { openDumpDigest } from '../database/postgres/dump/digest.ts';
import { dumpPostgres, verifyDump } from '../database/postgres/dump/create-and-verify.ts';
import { findPgOptions } from '../database/postgres/dump/session-options.ts';
import { chooseTool, findTools, type Tool, type ToolName } from '../database/postgres/client-tools.ts';
import { type DatabaseSummary, readSummary } from './database-summary.ts';
import { type BackupContext, backupFailure } from './context.ts';

/** Bytes for each read. */
const chunk = 128 * 1024;

/** Copies a database. Everything that the copy needs has been found already. */
export interface Dumper {
  readonly entryName: string;
  /** The tool that makes the copy, with its version. */
  readonly tool: string;
  readonly compress: boolean;
  /** The most bytes that the copy can take in the archive. */
  readonly space: number;
  /** Bytes that it needs in the backup folder while it makes the copy. */
  readonly scratch: number;
  /**
   * Writes a copy of one snapshot and ends the stream.
   * @param onBegin called at the first byte with the number of bytes to come; null if it is unknown
   * @returns what the database held in that snapshot; `digest` is equal for two copies only if they hold the same,
   *   and is null if the hash of the copy itself can be used
   */
  copy(
    into: Writable,
    onBegin: (bytes: number | null) => void,
  ): Promise<DatabaseSummary & { readonly digest: string | null }>;
  /** Reads a copy to its end. @throws Error if the copy cannot be restored */
  verify(content: Readable): Promise<void>;
}

/**
 * Prepares to copy the database.
 * @param scratch a path beside the archive for temporary use
 * @throws Failure `backup-failed` if a tool is missing
 */
export async function openDumper(context: BackupContext, scratch: string): Promise<Dumper> {
  const { database: target } = context.config;
  switch (target.kind) {
    case 'postgresql':
      return postgresDumper(target, context);
    case 'sqlite':
      return sqliteDumper(target, scratch, context);
  }
}

/**
 * Checks that the role may open one more connection: ours holds the snapshot, and pg_dump opens a second one.
 * @throws Failure `missing-rights`
 */
export const requireDumpConnection = (database: Database): Promise<number> => requireConnections(database, 1, 'dump');

async function postgresDumper(target: PostgresTarget, context: BackupContext): Promise<Dumper> {
  const { database, config, signal } = context;
  const server = await database.read(async (session) =>
    only(
      await session.query(`SELECT current_setting('server_version_num')::int / 10000 AS major,
                                  pg_database_size(current_database()) AS size,
                                  current_setting('server_encoding') AS encoding,
                                  CASE WHEN ${sharesDatabase} THEN current_schema() END::text AS schema`),
    ),
  );
  const encoding = text(server, 'encoding');
  const schema = optionalText(server, 'schema');
  const dump = await requireTool('pg_dump', number(server, 'major'), context);
  const restore = await requireTool('pg_restore', dump.major, context);
  await requireDumpConnection(database);
  return {
    entryName: databaseEntryNames.postgresql,
    tool: `pg_dump ${dump.major}`,
    compress: false,
    space: number(server, 'size'),
    scratch: 0,
    copy: (into, onBegin) =>
      database.read(async (session) => {
        const lockTimeout = config.migrationLockTimeout;
        await session.run(`SET LOCAL lock_timeout TO '${lockTimeout}s'`);
        const snapshot = text(only(await session.query('SELECT pg_export_snapshot() AS id')), 'id');
        const pgOptions = await findPgOptions(session, 'dump');
        const failed = new AbortController();
        const either = AbortSignal.any([signal, failed.signal]);
        const options = { snapshot, lockTimeout, encoding, schema, pgOptions, signal: either };
        onBegin(null);
        // counted while the dump runs: both use the same snapshot
        const { stream, digest } = openDumpDigest();
        const parts = [
          readSummary(session),
          dumpPostgres(dump, target, stream, options),
          pipeline(stream, into),
        ] as const;
        try {
          const [contents] = await Promise.all(parts);
          return { ...contents, digest: digest() };
        } catch (error) {
          // if one part fails, the others must stop as well
          failed.abort();
          stream.destroy();
          await Promise.allSettled(parts);
          throw error;
        }
      }),
    verify: (content) => verifyDump(restore, content, signal),
  };
}

async function requireTool(name: ToolName, major: number, context: BackupContext): Promise<Tool> {
  const tools = await findTools(name);
  const tool = chooseTool(tools, major);
  if (tool !== null) return tool;
  throw backupFailure(context, { kind: 'no-tool', tool: name, major, found: tools.map((found) => found.major) });
}

async function sqliteDumper(target: SqliteTarget, scratch: string, context: BackupContext): Promise<Dumper> {
  const { signal, database } = context;
  const { copySqlite, sizeOfSqlite } = await import('../database/sqlite/copy.ts');
  return {
    entryName: databaseEntryNames.sqlite,
    tool: database.serverVersion,
    compress: true,
    space: sizeOfSqlite(target.file),
    scratch: sizeOfSqlite(target.file),
    async copy(into, onBegin) {
      const failed = new AbortController();
      const either = AbortSignal.any([signal, failed.signal]);
      try {
        // created first, so that other users can never read it
        await (await open(scratch, 'wx', 0o600)).close();
        const { checked } = await copySqlite(target.file, scratch, either);
        const archive = async (): Promise<DatabaseSummary> => {
          const contents = await contentsOfFile(scratch, context);
          onBegin(sizeOfSqlite(scratch));
          await pipeline(createReadStream(scratch, { highWaterMark: chunk }), into, { signal: either });
          return contents;
        };
        // the copy is compressed while it is checked: without the end of the check, the archive has no end either
        const parts = [archive(), checked] as const;
        try {
          const [contents] = await Promise.all(parts);
          return { ...contents, digest: null };
        } catch (error) {
          failed.abort();
          await Promise.allSettled(parts);
          throw error;
        }
      } finally {
        await rm(scratch, { force: true });
      }
    },
    // the file was checked before it was archived, so an equal hash verifies the entry
    verify: async (content) => void content.resume(),
  };
}

async function contentsOfFile(file: string, { config, signal }: BackupContext): Promise<DatabaseSummary> {
  const silent = (): void => undefined;
  const told = { onWaiting: silent, onLockWaiting: silent, onRetry: silent, onWarning: silent };
  const options = { ...config, ...told, applicationName: 'db-init', writes: false, signal };
  const copy = await openDatabase({ kind: 'sqlite', file }, options);
  try {
    return await copy.read(readSummary);
  } finally {
    await copy.close();
  }
}
