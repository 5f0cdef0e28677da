import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { PostgresTarget } from '../../config/config.ts';

/**
 * Milliseconds between SIGTERM and SIGKILL for a client program. After SIGTERM it requests the cancellation of its
 * statement, and would wait for a server that does not answer; `docker stop` allows ten seconds in total.
 */
export const forceKillAfterDelay = 2000;

export type ToolName = 'pg_dump' | 'pg_restore' | 'psql';

/** A client program of one major version of PostgreSQL. */
export interface Tool {
  readonly name: ToolName;
  /** A path, or only the name for the program on PATH. */
  readonly command: string;
  readonly major: number;
  /** The minor version; 0 for a beta or release candidate. */
  readonly minor: number;
}

/** The folder in which Debian's packages and the image install the tools of each major version, in `<major>/bin`. */
const installations = '/usr/lib/postgresql';

/** Finds every installation of a tool. @returns Debian's in ascending order of major version, then the one on PATH */
export async function findTools(name: ToolName): Promise<readonly Tool[]> {
  const folders = await readdir(installations).catch(() => []);
  const majors = folders.filter((folder) => /^\d+$/.test(folder)).map(Number);
  const installed = majors
    .toSorted((one, other) => one - other)
    .map((major) => ({ major, command: join(installations, String(major), 'bin', name) }));
  const found: Tool[] = [];
  for (const { command } of [...installed, { command: name }]) {
    const version = await versionOf(command);
    if (version !== null) found.push({ name, command, ...version });
  }
  return found;
}

/**
 * Chooses the tool for a server: of the same major version, else of the next newer one; an older tool cannot dump a
 * newer server. Among tools of the same major, the one on PATH comes last.
 */
export function chooseTool(tools: readonly Tool[], serverMajor: number): Tool | null {
  const able = tools.filter(({ major }) => major >= serverMajor);
  return able.toSorted((one, other) => one.major - other.major)[0] ?? null;
}

/**
 * Chooses the pg_restore for a dump: like `chooseTool`, among those that can read the dump. If all of them are older
 * than the server, it is the newest one: an older pg_restore can load into a newer server.
 * @param oldest the oldest major version that reads the dump
 */
export function choosePgRestore(tools: readonly Tool[], oldest: number, serverMajor: number): Tool | null {
  const able = tools.filter(({ major }) => major >= oldest);
  return chooseTool(able, serverMajor) ?? newest(able);
}

/** Chooses the psql for a pg_restore: of the same installation, else of the same major version, else the newest. */
export function choosePsql(tools: readonly Tool[], restore: Tool): Tool | null {
  const safe = tools.filter(knowsRestrict);
  const folder = dirname(restore.command);
  return (
    safe.find(({ command }) => dirname(command) === folder) ??
    safe.find(({ major }) => major === restore.major) ??
    newest(safe)
  );
}

export function newest(tools: readonly Tool[]): Tool | null {
  return tools.toSorted((one, other) => other.major - one.major)[0] ?? null;
}

/** The minor releases that added `\restrict`; without it a dump can make psql run commands (CVE-2025-8714). */
const restricting = new Map([
  [13, 22],
  [14, 19],
  [15, 14],
  [16, 10],
  [17, 6],
]);

function knowsRestrict({ major, minor }: Tool): boolean {
  return major >= 18 || minor >= (restricting.get(major) ?? Infinity);
}

/** `pg_dump (PostgreSQL) 16.4 (Debian …)` → 16 and 4; null if there is no such program. */
async function versionOf(command: string): Promise<{ readonly major: number; readonly minor: number } | null> {
  const { failed, stdout } = await execa(command, ['--version'], { reject: false, timeout: 10_000 });
  const [, major, minor = 0] = /\(PostgreSQL\) (\d+)(?:\.(\d+))?/.exec(failed ? '' : stdout) ?? [];
  return Number(major) > 0 ? { major: Number(major), minor: Number(minor) } : null;
}

/**
 * How to reach a server, as environment variables of libpq (PostgreSQL manual, "Environment Variables"). Unlike
 * arguments, they do not show the password in the process list, and a database name is never read as an option.
 * @param pgOptions session options (`findPgOptions`) besides those of the target
 */
export function libpqEnvironment(
  target: PostgresTarget,
  pgOptions: string | undefined,
): Readonly<Record<string, string | undefined>> {
  const { connectTimeout } = target;
  return {
    PGHOST: target.host,
    PGPORT: String(target.port),
    PGUSER: target.user,
    PGPASSWORD: target.password === '' ? undefined : target.password,
    PGDATABASE: target.database,
    PGSSLMODE: target.sslmode,
    PGSSLROOTCERT: target.sslrootcert,
    PGSSLCERT: target.sslcert,
    PGSSLKEY: target.sslkey,
    PGCONNECT_TIMEOUT: connectTimeout === undefined ? undefined : String(connectTimeout),
    // inherited variables must not lead to another server or change the output
    PGHOSTADDR: undefined,
    PGSERVICE: undefined,
    // if a setting occurs twice, the last value counts
    PGOPTIONS: [target.options, pgOptions].filter((options) => options !== undefined).join(' ') || undefined,
    PGTARGETSESSIONATTRS: undefined,
  };
}
