import SQLite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { withModels } from '../../../src/seed/models/models-on.ts';
import { sqlite3Module } from '../../../src/database/sqlite/sqlite3-module.ts';

const things = 'CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, good BOOLEAN)';

/** What a callback was called with, and what `this` was. */
interface Answer {
  readonly error: Error | null;
  readonly rows: readonly unknown[] | undefined;
  readonly lastID: number;
  readonly changes: number;
}

async function open() {
  const file = new SQLite(':memory:');
  file.exec(things);
  const { Database } = sqlite3Module(file);
  const database = await new Promise<InstanceType<typeof Database>>((resolve, reject) => {
    const opened = new Database('', 6, (error) => (error === null ? resolve(opened) : reject(error)));
  });
  const answer = (resolve: (answer: Answer) => void) =>
    // the package calls back with the statement as `this`
    function (this: { lastID: number; changes: number }, error: Error | null, rows?: readonly unknown[]): void {
      resolve({ error, rows, lastID: this.lastID, changes: this.changes });
    };
  return { file, database, answer };
}

describe('the API of the package sqlite3 over better-sqlite3', () => {
  it('returns the last id and the number of changes', async () => {
    const { database, answer } = await open();
    const run = (sql: string, parameters: readonly unknown[] | Record<string, unknown> = []): Promise<Answer> =>
      new Promise((resolve) => database.run(sql, parameters, answer(resolve)));
    expect(await run("INSERT INTO things (name) VALUES ('a'), ('b'), ('c')")).toMatchObject({
      error: null,
      lastID: 3,
      changes: 3,
    });
    expect(await run('UPDATE things SET good = ? WHERE id > ?', [true, 1])).toMatchObject({ changes: 2 });
    expect(await run('UPDATE things SET good = $1 WHERE name = $name', { $1: false, $name: 'c' })).toMatchObject({
      changes: 1,
    });
  });

  it('passes on rows, several statements, and the errors of the driver', async () => {
    const { database, answer } = await open();
    const all = (sql: string): Promise<Answer> => new Promise((resolve) => database.all(sql, answer(resolve)));
    database.exec("INSERT INTO things (name) VALUES ('a'); INSERT INTO things (name) VALUES ('b')");
    expect(await all('SELECT id, name FROM things ORDER BY id')).toMatchObject({
      error: null,
      rows: [
        { id: 1, name: 'a' },
        { id: 2, name: 'b' },
      ],
    });
    expect(await all('PRAGMA foreign_keys = ON')).toMatchObject({ error: null, rows: [] });
    expect((await all("INSERT INTO things (name) VALUES ('a')")).error).toMatchObject({
      code: 'SQLITE_CONSTRAINT_UNIQUE',
    });
    expect((await all('SELECT nothing')).error).toBeInstanceOf(SQLite.SqliteError);
  });

  it('does not close the file, and does not end the transaction', async () => {
    const { file, database } = await open();
    file.exec('BEGIN');
    database.serialize(() => database.run("INSERT INTO things (name) VALUES ('a')"));
    database.close();
    file.exec('ROLLBACK');
    expect(file.prepare('SELECT * FROM things').all()).toEqual([]);
  });
});

it('the models of the seed throw the errors of the driver', async () => {
  const file = new SQLite(':memory:');
  const asking = withModels({ engine: 'sqlite', database: file }, (models) => models.clients.findAll());
  await expect(asking).rejects.toBeInstanceOf(SQLite.SqliteError);
  expect(file.open).toBe(true);
});
