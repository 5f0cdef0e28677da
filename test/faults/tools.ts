import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import type { ToolName } from '../../src/database/postgres/client-tools.ts';
import { requirePostgres } from '../support/postgres-server.ts';
import type { RunResult } from '../support/run.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The tools of a machine: that of the tests, or one that reports this version: `12.9`. Other tools are missing. */
export type Tools = Readonly<Partial<Record<ToolName, 'real' | `${number}`>>>;

/** The folder in which db-init looks, besides PATH. */
const installations = '/usr/lib/postgresql';
const program = join(import.meta.dirname, '../../dist/main.js');

// hidden files can still be reached at a second mount
const hiding = `
  if [ -d ${installations} ]; then
    mount --bind ${installations} "$1/hidden" && mount -t tmpfs db-init-test ${installations} || exit 99
  fi
  PATH=$1; shift; exec "$@"`;

/** Makes a machine with only these tools. @returns a function that runs db-init on it as a process */
export async function machineWith(
  tools: Tools,
): Promise<(args: readonly string[], env: Readonly<Record<string, string>>) => Promise<RunResult>> {
  const folder = await temporaryDirectory();
  await mkdir(join(folder, 'hidden'));
  for (const [name, version] of Object.entries(tools)) {
    if (version === 'real') await symlink(realOne(name, folder), join(folder, name));
    else await pretend(join(folder, name), `${name} (PostgreSQL) ${version}`);
  }
  return async (args, env) => {
    const command = ['--mount', '/bin/sh', '-c', hiding, 'sh', folder, process.execPath, program, ...args];
    const options = { reject: false, all: true, extendEnv: false, env: { PATH: process.env['PATH'], ...env } } as const;
    const { exitCode, stdout, stderr, all } = await execa('unshare', command, options);
    return { exitCode, stdout, stderr, all };
  };
}

function realOne(name: string, folder: string): string {
  const { binDirectory } = requirePostgres();
  const path = join(binDirectory ?? '', name);
  return path.startsWith(`${installations}/`) ? join(folder, 'hidden', relative(installations, path)) : path;
}

async function pretend(file: string, version: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\necho '${version}'\n`);
  await chmod(file, 0o755);
}
