import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { loadDumpScript } from '../../../src/database/sqlite/dump-script.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const text = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;
const dump = (...lines: readonly string[]): string =>
  text('PRAGMA foreign_keys=OFF;', 'BEGIN TRANSACTION;', ...lines, 'COMMIT;');
const table = 'CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT, price REAL, raw BLOB);';

async function* inPieces(content: Buffer, length: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < content.length; at += length) yield content.subarray(at, at + length);
}

/** Loads a text in pieces of a few bytes, and asks the result. */
async function load(
  script: string | Buffer,
  { trusted = false, question = 'SELECT count(*) FROM sqlite_schema' } = {},
) {
  const file = join(await temporaryDirectory(), 'made.db');
  const unknown = await loadDumpScript(inPieces(Buffer.from(script), 7), file, trusted);
  const made = new Database(file, { readonly: true });
  try {
    return { unknown, rows: made.prepare(question).pluck().all() };
  } finally {
    made.close();
  }
}

const quotedRows =
  "SELECT id || '|' || quote(CAST(body AS BLOB)) || '|' || quote(price) || '|' || quote(raw) FROM notes ORDER BY id";
const hex = (body: string): string => Buffer.from(body).toString('hex').toUpperCase();

it('makes every value that sqlite3 and Python write', async () => {
  const script = dump(
    table,
    `CREATE TABLE IF NOT EXISTS "order" ("select" TEXT);`,
    `INSERT INTO notes VALUES(1,'it''s "é";',0.010000000000000000208,X'00ff');`,
    `INSERT INTO notes VALUES(2,replace(replace('a\\nb\\rc;','\\n',char(10)),'\\r',char(13)),-1.0e+99,NULL);`,
    `INSERT INTO notes VALUES(3,unistr('x\\u000ay'),9.0e+999,x'');`,
    `INSERT INTO "notes" VALUES(4,'one;`,
    `-- two`,
    `COMMIT;`,
    `',-7,NULL);`,
    `INSERT INTO "order" VALUES('');`,
    `DELETE FROM sqlite_sequence;`,
    `INSERT INTO sqlite_sequence VALUES('notes',77);`,
    `ANALYZE sqlite_schema;`,
    `INSERT INTO sqlite_stat1 VALUES('notes',NULL,'4');`,
    `CREATE INDEX ix_body ON notes (body);`,
  );
  const { unknown, rows } = await load(script, { question: quotedRows });
  expect(unknown).toEqual([]);
  expect(rows).toEqual([
    `1|X'${hex(`it's "é";`)}'|0.01|X'00FF'`,
    `2|X'${hex('a\nb\rc;')}'|-1.0e+99|NULL`,
    `3|X'${hex('x\ny')}'|9.0e+999|X''`,
    `4|X'${hex('one;\n-- two\nCOMMIT;\n')}'|-7.0|NULL`,
  ]);
  const sequence = "SELECT seq FROM sqlite_sequence UNION ALL SELECT sql FROM sqlite_schema WHERE name = 'order'";
  expect((await load(script, { question: sequence })).rows).toEqual([77, 'CREATE TABLE "order" ("select" TEXT)']);
});

it('keeps bytes that are not UTF-8, and reads the line ends and the mark of Windows', async () => {
  const [before, after] = [
    `\uFEFF${dump(table).replace('COMMIT;\n', '')}INSERT INTO notes VALUES(1,'`,
    `''é',1,NULL);\nCOMMIT;\n`,
  ];
  const script = Buffer.concat([Buffer.from(before), Buffer.from([0x41, 0xff]), Buffer.from(after)]);
  const windows = Buffer.from(script.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
  for (const given of [script, windows]) {
    expect((await load(given, { question: quotedRows })).rows).toEqual([`1|X'41FF${hex("'é")}'|1.0|NULL`]);
  }
});

const hostile = [
  ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON notes BEGIN\nDELETE FROM notes;\nEND;'],
  ['a view', 'CREATE VIEW v AS SELECT 1;'],
  ['a table of a query', 'CREATE TABLE copy AS SELECT randomblob(9);'],
  ['a default that calls a function', 'CREATE TABLE bad (a TEXT DEFAULT (randomblob(9)));'],
  ['rows of a query', 'INSERT INTO notes SELECT 1, 2, 3, 4;'],
  ['a value that calls a function', 'INSERT INTO notes VALUES(1,randomblob(9),1,NULL);'],
  ['a value of a query', 'INSERT INTO notes VALUES(1,(SELECT 1),1,NULL);'],
  [
    'a change of the schema table',
    "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table','x','x',0,'y');",
  ],
  ['another file', "ATTACH '/tmp/other.db' AS other;"],
  ['two statements on a line', "INSERT INTO notes VALUES(1,'',1,NULL); DROP TABLE notes;"],
  ['a setting', 'PRAGMA journal_mode=WAL;'],
] as const;

it.each(hostile)('does not run %s, which no table of TimeTracker needs', async (_title, statement) => {
  const { unknown, rows } = await load(dump(table, statement), {
    question: "SELECT name FROM sqlite_schema WHERE name <> 'sqlite_sequence'",
  });
  expect(unknown).toMatchObject([{ statement: expect.stringContaining(statement.slice(0, 12)) }]);
  expect(rows).toEqual(['notes']);
});

it('makes views and triggers of a trusted text, and nothing else', async () => {
  const [[, trigger], [, view]] = hostile;
  const { unknown, rows } = await load(dump(table, trigger, view, "ATTACH '/tmp/other.db' AS other;"), {
    trusted: true,
    question: "SELECT name FROM sqlite_schema WHERE type IN ('view', 'trigger') ORDER BY 1",
  });
  expect(rows).toEqual(['t', 'v']);
  expect(unknown).toHaveLength(1);
});

it.each([
  ['is cut off between statements', dump(table).replace('COMMIT;\n', ''), { defect: { kind: 'cut-off' } }],
  [
    'is cut off within a row',
    dump(table, "INSERT INTO notes VALUES(1,'a").replace("'a\nCOMMIT;\n", "'a"),
    { defect: { kind: 'cut-off' } },
  ],
  [
    'was written from a damaged file',
    dump(table).replace('COMMIT;', 'ROLLBACK; -- due to errors'),
    { defect: { kind: 'written-with-errors' } },
  ],
  ['is two dumps', dump(table) + dump(table), { defect: { kind: 'goes-on' } }],
  [
    'has a key twice',
    dump(table, ...Array<string>(2).fill("INSERT INTO notes VALUES(1,'',1,NULL);")),
    { defect: { kind: 'refused-statement' } },
  ],
])('refuses a text that %s', async (_title, script, error) => {
  await expect(load(script)).rejects.toMatchObject(error);
});

it('does not overwrite a file', async () => {
  const file = join(await temporaryDirectory(), 'there.db');
  await writeFile(file, 'not a database');
  await expect(loadDumpScript(inPieces(Buffer.from(dump(table)), 99), file, false)).rejects.toThrow('EEXIST');
});
