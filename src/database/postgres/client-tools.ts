import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { PostgresTarget } from '../../config/config.ts';

/**
 * Milliseconds that a program of the server gets once it is told to stop. Told so, it asks the server to cancel its
 * statement, and waits for a server that has fallen silent; `docker stop` waits for ten seconds in all.
 */
export const forceKillAfterDelay = 2000;

/** The client programs that are run. */
export type ToolName = 'pg_dump' | 'pg_restore' | 'psql';

/** A client program of one major version of PostgreSQL. */
export interface Tool {
  readonly name: ToolName;
  /** A path, or the name alone for what PATH has. */
  readonly command: string;
  readonly major: number;
  /** The release of that major; 0 before the first. */
  readonly minor: number;
}

/** Where Debian's packages and the image keep the tools of several majors, each in `<major>/bin`. */
const installations = '/usr/lib/postgresql';

/**
 * Finds every installation of a tool.
 * @returns Debian's by rising major, then the one on PATH
 */
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
 * The tool for a server: that of its own major, else the nearest newer one. An older one cannot read the server.
 * What PATH has comes last among equals.
 */
export function chooseTool(tools: readonly Tool[], serverMajor: number): Tool | null {
  const able = tools.filter(({ major }) => major >= serverMajor);
  return able.toSorted((one, other) => one.major - other.major)[0] ?? null;
}

/**
 * The pg_restore for a dump: as `chooseTool`, among those that read the dump. Where all of them are older than the
 * server, the newest one: an older tool loads into a newer server.
 * @param oldest the oldest major that reads the dump
 */
export function chooseRestore(tools: readonly Tool[], oldest: number, serverMajor: number): Tool | null {
  const able = tools.filter(({ major }) => major >= oldest);
  return chooseTool(able, serverMajor) ?? newest(able);
}

/** The psql that goes with a pg_restore: of the same installation, else of the same major, else the newest. */
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

/** The releases that brought `\restrict`, without which a dump can make psql run commands (CVE-2025-8714). */
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

/** `pg_dump (PostgreSQL) 16.4 (Debian …)` → 16 and 4; null where there is no such program. */
async function versionOf(command: string): Promise<{ readonly major: number; readonly minor: number } | null> {
  const { failed, stdout } = await execa(command, ['--version'], { reject: false, timeout: 10_000 });
  const [, major, minor = 0] = /\(PostgreSQL\) (\d+)(?:\.(\d+))?/.exec(failed ? '' : stdout) ?? [];
  return Number(major) > 0 ? { major: Number(major), minor: Number(minor) } : null;
}

/**
 * How to reach a server, in the variables of libpq (PostgreSQL manual, "Environment Variables"): a password does not
 * show there as it would among the arguments, and no name can be taken for something else.
 * @param startOptions what the session needs beside the target's own (`startOptions`)
 */
export function libpqEnvironment(
  target: PostgresTarget,
  startOptions: string | undefined,
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
    // whatever the surroundings say must not lead to another server, or change what comes out
    PGHOSTADDR: undefined,
    PGSERVICE: undefined,
    // of two values of one setting the later one counts
    PGOPTIONS: [target.options, startOptions].filter((options) => options !== undefined).join(' ') || undefined,
    PGTARGETSESSIONATTRS: undefined,
  };
}
