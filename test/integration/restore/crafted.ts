import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { execa } from 'execa';
import { renderManifest } from '../../../src/archive/manifest.ts';
import { coreTables } from '../../../src/schema/catalog.ts';
import { execute, createDatabase, createSqliteDatabase } from '../../support/database.ts';
import { requirePostgres } from '../../support/postgres-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { type EngineName } from './restores.ts';

/** A database that looks like the application's own, at an unknown revision. */
export const unknownRevision = [
  ...coreTables.map((table) => `CREATE TABLE ${table} (id integer PRIMARY KEY)`),
  'CREATE TABLE alembic_version (version_num varchar(255) PRIMARY KEY)',
  "INSERT INTO alembic_version VALUES ('999_of_tomorrow')",
].join(';');

/** The content of the database entry of an archive: a database made by SQL. */
export async function databaseOf(engine: EngineName, sql: string): Promise<Buffer> {
  const database = await (engine === 'sqlite' ? createSqliteDatabase() : createDatabase());
  await execute(database, sql);
  if (engine === 'sqlite') return readFile(database.name);
  const dump = await dumpOf(database.url);
  await database.drop();
  return dump;
}

/** A dump of a PostgreSQL database, as the application makes it. */
export async function dumpOf(url: string): Promise<Buffer> {
  const { binDirectory } = requirePostgres();
  const args = ['--format=custom', '--dbname', url];
  const { stdout } = await execa(join(binDirectory ?? '', 'pg_dump'), args, { encoding: 'buffer' });
  return Buffer.from(stdout);
}

/** Writes an archive of the application with a database. @returns its path */
export async function applicationArchive(engine: EngineName, database: Buffer, revision: string): Promise<string> {
  const manifest = {
    alembic_revision: revision,
    app_version: null,
    created_at: '2026-11-22T15:36:32',
    db_type: engine,
  };
  const zip = new AdmZip();
  zip.addFile('manifest.json', Buffer.from(JSON.stringify(manifest)));
  zip.addFile(memberOf(engine), database);
  zip.addFile('uploads/logos/theirs.png', Buffer.from('their logo'));
  return written(zip);
}

/** Writes an archive of db-init with a database. @returns its path */
export async function archiveOfOurs(
  engine: EngineName,
  database: Buffer,
  said: { readonly revisions: readonly string[]; readonly rows: Readonly<Record<string, number>> },
): Promise<string> {
  const member = { size: database.length, sha256: createHash('sha256').update(database).digest('hex') };
  const zip = new AdmZip();
  zip.addFile(memberOf(engine), database);
  const manifest = renderManifest({
    ...said,
    engine,
    kind: 'manual',
    createdAt: new Date(2026, 10, 22),
    version: '0.1.0',
    database: 'somewhere',
    server: 's',
    tool: 't',
    entries: { [memberOf(engine)]: member },
    uploads: [],
  });
  zip.addFile('manifest.json', Buffer.from(manifest));
  return written(zip);
}

const memberOf = (engine: EngineName): string => (engine === 'sqlite' ? 'db.sqlite' : 'db.dump');

async function written(zip: AdmZip): Promise<string> {
  const path = join(await temporaryDirectory(), 'crafted.zip');
  await rm(path, { force: true });
  await writeFile(path, zip.toBuffer());
  return path;
}
