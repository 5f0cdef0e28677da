import { createHash } from 'node:crypto';
import { copyInto, createDatabase, type TestDatabase, withClient } from './database.ts';
import { requirePostgres } from './postgres-server.ts';
import { restoreSql } from './restore-sql.ts';

/** A test's own database with the contents of a plain SQL dump. The dump is loaded once for all tests. */
export async function restoredDatabase(path: string): Promise<TestDatabase> {
  return createDatabase(await findTemplate(path));
}

/** Replaces an empty database by one with the contents of a dump. */
export async function restoreInto({ name }: TestDatabase, path: string): Promise<void> {
  const template = await findTemplate(path);
  await withClient(requirePostgres().url, async (client) => {
    await client.query(`DROP DATABASE ${name}`);
    await copyInto(client, name, template);
  });
}

const templates = new Map<string, Promise<string>>();

function findTemplate(path: string): Promise<string> {
  const known = templates.get(path) ?? makeTemplate(path);
  templates.set(path, known);
  return known;
}

/** One worker makes a template, and others that need it at the same time wait. @returns its name */
async function makeTemplate(path: string): Promise<string> {
  const { url, templatePrefix } = requirePostgres();
  const name = templatePrefix + createHash('sha256').update(path).digest('hex').slice(0, 12);
  await withClient(url, async (client) => {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [name]);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount !== 0) return;
    const made = await createDatabase();
    await restoreSql(made.url, path);
    await client.query(`ALTER DATABASE ${made.name} RENAME TO ${name}`);
  });
  return name;
}
