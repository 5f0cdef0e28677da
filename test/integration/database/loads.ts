import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { vi } from 'vitest';
import type { PostgresTarget } from '../../../src/config/config.ts';
import { type DumpRestorer, openRestorer } from '../../../src/database/postgres/dump/restorer.ts';
import { withClient } from '../../support/database.ts';
import { requirePostgres } from '../../support/postgres-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** The target of a URL, as db-init parses it. */
export function targetOf(url: string): PostgresTarget {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    kind: 'postgresql',
    host: hostname,
    port: Number(port === '' ? 5432 : port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    sslmode: 'prefer',
  };
}

const program = (name: string): string => join(requirePostgres().binDirectory ?? '', name);

/** Dumps a database into a file. */
export async function dumpOf(url: string, ...options: readonly string[]): Promise<string> {
  const file = join(await temporaryDirectory(), 'db.dump');
  await execa(program('pg_dump'), ['--format=custom', ...options, `--file=${file}`, '--dbname', url]);
  return file;
}

/** Opens a dump that can be loaded. @throws Error if it cannot */
export async function restorerFor(
  dump: string,
  url: string,
  serverMajor = requirePostgres().major,
  trusted = true,
): Promise<{ restorer: DumpRestorer; warnings: readonly string[] }> {
  const opened = await openRestorer(dump, targetOf(url), {
    serverMajor,
    trusted,
    maxBytes: Infinity,
    signal: never,
  });
  if (opened.kind !== 'ready') throw new Error(JSON.stringify(opened));
  return opened;
}

/** A signal that is never aborted. */
export const never = new AbortController().signal;

/** The number of other sessions of a database. */
export async function sessionsIn(url: string): Promise<number> {
  const others = 'SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()';
  return withClient(url, async (client) => (await client.query(others)).rows.length);
}

/** A pg_restore that reports a future major version, and a dump that only it can read. */
export interface Future {
  readonly dump: string;
  /** The file with the process id of the last one that was started. */
  readonly pidFile: string;
}

/**
 * Puts a pg_restore 99 on PATH. It reads a dump of format 1.99, which is `dump` in truth, and it sets
 * `transaction_timeout` where it writes SQL, as all since 17 do.
 */
export async function future(dump: string): Promise<Future> {
  const folder = await temporaryDirectory();
  const made = join(folder, 'future.dump');
  const pidFile = join(folder, 'pid');
  const script = `#!/bin/sh
    if [ "$1" = --version ]; then echo 'pg_restore (PostgreSQL) 99.0'; exit; fi
    for argument do
      shift
      if [ "$argument" = '${made}' ]; then set -- "$@" '${dump}'; else set -- "$@" "$argument"; fi
      if [ "$argument" = --file=- ]; then echo 'SET transaction_timeout = 0;'; fi
    done
    echo $$ > '${pidFile}'
    exec '${program('pg_restore')}' "$@"`;
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'pg_restore'), script);
  await chmod(join(folder, 'bin', 'pg_restore'), 0o755);
  await writeFile(made, futureHeader());
  vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`);
  return { dump: made, pidFile };
}

/** The header of a dump by pg_dump 99, in format 1.99. */
export function futureHeader(): Buffer {
  const integer = (value: number): number[] => [0, value, 0, 0, 0];
  const text = (value: string): number[] => [...integer(value.length), ...Buffer.from(value)];
  const made = [0, 0, 0, 1, 0, 126, 0].flatMap(integer);
  return Buffer.from([
    ...text('PGDMP').slice(5),
    1,
    99,
    0,
    4,
    8,
    1,
    1,
    ...made,
    ...['db', '99.0', '99.0'].flatMap(text),
  ]);
}
