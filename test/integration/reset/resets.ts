import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createDatabase, createSqliteDatabase, type TestDatabase } from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { run, type RunOptions, type RunResult } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A test's database with its own folders, for a reset. */
export interface ResetInstallation {
  readonly database: TestDatabase;
  /** The value for `--yes-delete-all-data`. */
  readonly name: string;
  /** The backup folder. */
  readonly backups: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A release's database as its users had it. */
export async function installationOf(engine: TestDatabase['engine'], tag: string): Promise<ResetInstallation> {
  if (engine === 'sqlite') {
    const name = await sqliteFile(release('sqlite', tag, 'before.db.gz'));
    return around({ ...(await createSqliteDatabase()), name, url: `sqlite:///${name}` });
  }
  const database = await restoredDatabase(release('pg', tag, 'before.sql.gz'));
  return around(database);
}

/** Gives a database its own folders. */
export async function around(database: TestDatabase): Promise<ResetInstallation> {
  const volume = await temporaryDirectory();
  const backups = join(volume, 'backups');
  return {
    database,
    name: database.name.split('/').at(-1) ?? '',
    backups,
    env: { DATABASE_URL: database.url, UPLOAD_FOLDER: volume, BACKUP_FOLDER: backups },
  };
}

/** Runs `reset` with its consent, unless `args` contain it. */
export function reset(
  { env, name }: ResetInstallation,
  options: readonly string[] = [],
  more: RunOptions['env'] = {},
): Promise<RunResult> {
  return run(['reset', '--yes-delete-all-data', name, ...options], { env: { ...env, ...more } });
}

/** The content of a database without the time at which the schema was made. */
export async function withoutTimes(url: string): Promise<string> {
  return (await snapshot(url)).replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?/g, '<time>');
}

/** The archives in a folder. */
export async function archivesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.zip'));
}

/** A database that the gate has made from nothing. */
export async function freshOne(engine: TestDatabase['engine']): Promise<string> {
  const installation = await around(engine === 'sqlite' ? await createSqliteDatabase() : await createDatabase());
  const { exitCode, all } = await run([], { env: installation.env });
  if (exitCode !== 0) throw new Error(all);
  return withoutTimes(installation.database.url);
}
