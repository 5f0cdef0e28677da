import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import AdmZip from 'adm-zip';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { describe } from 'vitest';
import { atEnd, oncePerFile } from '../../support/cleanup.ts';
import {
  admin,
  copyInto,
  createDatabase,
  createSqliteDatabase,
  type TestDatabase,
  withClient,
} from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { run, start } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

export type EngineName = TestDatabase['engine'];

const archives = join(import.meta.dirname, '../../fixtures/archives');

/** The application's own archives, of the present release and older. */
export const realArchives = {
  postgresql: ['pg-v5.0.0-pgdump15.zip', 'pg-v5.10.0-pgdump15.zip'],
  sqlite: ['sqlite-v5.10.0-patched.zip'],
} as const;

export const archivePath = (name: string): string => join(archives, name);

/** The archive of the present release. */
export const currentArchive = (engine: EngineName): string =>
  archivePath(engine === 'sqlite' ? 'sqlite-v5.10.0-patched.zip' : 'pg-v5.10.0-pgdump15.zip');

/** A suite of restores for both engines. PostgreSQL needs a server and its client tools. */
export function describeRestores(title: string, spec: (engine: EngineName) => void): void {
  describe(`${title} (sqlite)`, () => spec('sqlite'));
  describePostgres(`${title} (postgresql)`, () => spec('postgresql'), 'tools');
}

/** An installation for one test: a database, folders of uploads, a backup folder, and a function that runs db-init on it. */
export interface Installation {
  readonly engine: EngineName;
  readonly database: TestDatabase;
  readonly root: string;
  readonly statics: string;
  readonly data: string;
  readonly backups: string;
  readonly env: Readonly<Record<string, string>>;
  readonly run: (...args: readonly string[]) => ReturnType<typeof run>;
  readonly start: (...args: readonly string[]) => ReturnType<typeof start>;
  /** Runs a command that must succeed before the test. */
  readonly must: (...args: readonly string[]) => ReturnType<typeof run>;
}

/**
 * An installation with an empty database and some uploads. As by default, the backup folder is inside a folder of uploads.
 */
export async function install(
  engine: EngineName,
  { database, env: more = {} }: { database?: TestDatabase; env?: Record<string, string> } = {},
): Promise<Installation> {
  const root = await temporaryDirectory();
  const [statics, data] = [join(root, 'static'), join(root, 'data')];
  await put(statics, { 'logos/mine.png': 'my logo', '.gitkeep': '' });
  await put(data, { 'avatars/me.png': 'me' });
  const backups = join(data, 'backups');
  await mkdir(backups);
  const used = database ?? (await (engine === 'sqlite' ? createSqliteDatabase() : createDatabase()));
  if (engine === 'postgresql') atEnd(() => dropFormers(used));
  const env = {
    DATABASE_URL: used.url,
    UPLOAD_FOLDER: data,
    TT_STATIC_UPLOAD_FOLDER: statics,
    TT_ATTACHMENT_FOLDER: join(root, 'attachments'),
    INSTALLATION_CONFIG_DIR: root,
    BACKUP_FOLDER: backups,
    ...more,
  };
  return {
    engine,
    database: used,
    root,
    statics,
    data,
    backups,
    env,
    run: (...args) => run(args, { env }),
    start: (...args) => start(args, { env }),
    async must(...args) {
      const result = await run(args, { env });
      if (result.exitCode !== 0) throw new Error(result.all);
      return result;
    },
  };
}

/** Drops what restores have kept. */
async function dropFormers(database: TestDatabase): Promise<void> {
  const formers = (await relatedDatabases(database)).filter((name) => name !== database.name);
  for (const name of formers) await admin(`DROP DATABASE "${name.replaceAll('"', '""')}" WITH (FORCE)`);
}

/** Writes files below a folder, by their paths. */
export async function put(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

const filled = oncePerFile(async () => {
  const made = await restoredDatabase(release('pg', 'v5.7.0', 'before.sql.gz'));
  return made;
});

/** A database of the release before this one, with rows in it. */
export async function fillWithNewer(database: TestDatabase): Promise<void> {
  if (database.engine === 'sqlite') {
    return copyFile(await sqliteFile(release('sqlite', 'v5.10.0', 'before.db.gz')), database.name);
  }
  await copyDatabase(await filled(), database);
}

/** Makes an empty database a copy of another one. */
export async function copyDatabase(from: TestDatabase, to: TestDatabase): Promise<void> {
  if (to.engine === 'sqlite') return copyFile(from.name, to.name);
  await withClient(requirePostgres().url, async (client) => {
    await client.query(`DROP DATABASE "${to.name}" WITH (FORCE)`);
    await copyInto(client, to.name, from.name);
  });
}

/** The content of an archive at the present schema, restored with PostgreSQL's or SQLite's own tools and migrated by the gate. */
export async function madeByHand(archive: string): Promise<TestDatabase> {
  const zip = new AdmZip(archive);
  const dump = zip.readFile('db.dump');
  const file = zip.readFile('db.sqlite');
  const database = await (file === null ? createDatabase() : createSqliteDatabase());
  if (file !== null) await writeFile(database.name, file);
  if (dump !== null) await loadDump(database.url, dump);
  const { exitCode, all } = await run([], {
    env: { DATABASE_URL: database.url, UPLOAD_FOLDER: await temporaryDirectory(), TT_BACKUP_BEFORE_MIGRATE: 'never' },
  });
  if (exitCode !== 0) throw new Error(all);
  return database;
}

export async function loadDump(url: string, dump: Buffer): Promise<void> {
  const { binDirectory } = requirePostgres();
  await execa(join(binDirectory ?? '', 'pg_restore'), ['--exit-on-error', '--no-owner', '--dbname', url], {
    input: dump,
  });
}

/**
 * The content of a database as lines. Their order has no meaning, because a rewritten row gets another place. All times of
 * today's migrations are equal.
 */
export async function contentsOf({ url }: TestDatabase, since: string): Promise<readonly string[]> {
  const text = await snapshot(url);
  return text
    .replaceAll(/20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?/g, (time) =>
      time.replace('T', ' ') >= since ? '(now)' : time,
    )
    .split('\n')
    .toSorted();
}

/** The first difference between two databases. */
export function difference(some: readonly string[], others: readonly string[]): readonly string[] {
  const [one, other] = [new Set(some), new Set(others)];
  const lines = [
    ...some.filter((line) => !other.has(line)).map((line) => `- ${line}`),
    ...others.filter((line) => !one.has(line)).map((line) => `+ ${line}`),
  ];
  return lines.length > 10 ? [...lines.slice(0, 10), `and ${lines.length - 10} more`] : lines;
}

/** The present time, in the form of a timestamp column. */
export const now = (): string => new Date().toISOString().slice(0, 19).replace('T', ' ');

/** The first column of the result of a query. */
export async function ask({ engine, url, name }: TestDatabase, sql: string): Promise<readonly unknown[]> {
  if (engine === 'postgresql') {
    const { rows } = await withClient(url, (client) => client.query<Record<string, unknown>>(sql));
    return rows.map((row) => Object.values(row)[0]);
  }
  const file = new Database(name, { readonly: true });
  try {
    return file.prepare(sql).pluck().all();
  } finally {
    file.close();
  }
}

/** The databases of the server whose names begin with the name of this one, or all files in the folder of this file. */
export async function relatedDatabases({ engine, name }: TestDatabase): Promise<readonly string[]> {
  if (engine === 'sqlite') {
    return (await readdir(dirname(name))).filter((other) => !other.endsWith('.db-init-lock')).toSorted();
  }
  return withClient(requirePostgres().url, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY 1',
      [name.slice(0, 40)],
    );
    return rows.map(({ datname }) => datname);
  });
}

/** Every file below a folder with its content, by its path; folders that are empty end in a slash. */
export async function filesIn(folder: string, base = ''): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(join(folder, base), { withFileTypes: true })) {
    const path = join(base, entry.name);
    if (entry.isDirectory()) Object.assign(found, { [`${path}/`]: '' }, await filesIn(folder, path));
    else found[path] = (await readFile(join(folder, path))).toString('latin1');
  }
  return Object.fromEntries(Object.entries(found).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** The uploads without the files that db-init keeps among them. */
export async function uploadsIn(folder: string): Promise<Record<string, string>> {
  const all = Object.entries(await filesIn(folder));
  return Object.fromEntries(all.filter(([path]) => !/^(?:\.db-init|backups\/)/.test(path) && !path.endsWith('/')));
}

/** The uploads in an archive, without the name of their root. */
export function uploadsOf(archive: string, root = 'uploads'): Record<string, string> {
  const members = new AdmZip(archive).getEntries().filter(({ entryName }) => entryName.startsWith(`${root}/`));
  return Object.fromEntries(
    members.map((entry) => [entry.entryName.slice(root.length + 1), entry.getData().toString('latin1')] as const),
  );
}

/** Everything that a run could have changed. */
export async function everything({ database, statics, data }: Installation): Promise<unknown> {
  const files = Object.entries(await filesIn(data)).filter(([path]) => !path.startsWith('backups/.db-init/'));
  return {
    database: await snapshot(database.url),
    besides: await relatedDatabases(database),
    statics: await filesIn(statics),
    data: Object.fromEntries(files),
    memory: await memoryOf(data),
  };
}

async function memoryOf(data: string): Promise<readonly string[]> {
  const names = await readdir(join(data, 'backups/.db-init')).catch(() => []);
  // a stamp and a history may be left, a journal and a staging folder may not
  return names.filter((name) => name.startsWith('restore') && name !== 'restores.json').toSorted();
}
