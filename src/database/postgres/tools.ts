import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { PostgresTarget } from '../../config/config.ts';

/** The client programs that are run. */
export type ToolName = 'pg_dump' | 'pg_restore';

/** A client program of one major version of PostgreSQL. */
export interface Tool {
  readonly name: ToolName;
  /** A path, or the name alone for what PATH has. */
  readonly command: string;
  readonly major: number;
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
    const major = await majorOf(command);
    if (major !== null) found.push({ name, command, major });
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

/** `pg_dump (PostgreSQL) 16.4 (Debian …)` → 16; null where there is no such program. */
async function majorOf(command: string): Promise<number | null> {
  const { failed, stdout } = await execa(command, ['--version'], { reject: false, timeout: 10_000 });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(failed ? '' : stdout)?.[1]);
  return major > 0 ? major : null;
}

/**
 * How to reach a server, in the variables of libpq (PostgreSQL manual, "Environment Variables"): a password does not
 * show there as it would among the arguments, and no name can be taken for something else.
 */
export function libpqEnvironment(target: PostgresTarget): Readonly<Record<string, string | undefined>> {
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
    PGOPTIONS: undefined,
    PGTARGETSESSIONATTRS: undefined,
  };
}
