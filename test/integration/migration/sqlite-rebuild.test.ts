import Database from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { sqliteSession } from '../../../src/database/sqlite/session.ts';
import { openSchema, type OpenSchema } from '../../../src/migration/schema-builder/schema.ts';

/** Difficult parts of real files: all kinds of quoting, comments, clauses in any order, objects that refer to the table. */
const file = `
  CREATE TABLE owners (id INTEGER PRIMARY KEY);
  CREATE TABLE "odd ""table" (
	id INTEGER NOT NULL, -- the key, (not) the "key
	"na""me, x" VARCHAR(20) COLLATE NOCASE DEFAULT 'a,b)''(' NOT NULL,
	[key] TEXT /* , ) */ CONSTRAINT ck_key CHECK ([key] <> 'NOT NULL'),
	\`made\` DATETIME DEFAULT (datetime('now')) NOT NULL,
	owner_id INTEGER DEFAULT NULL REFERENCES owners (id) ON DELETE SET NULL ON UPDATE SET DEFAULT DEFERRABLE INITIALLY DEFERRED,
	self_id INTEGER,
	rate NUMERIC(10, 2) DEFAULT -1.5,
	double_rate AS (rate * 2) STORED,
	added TIMESTAMP, late JSON,
	PRIMARY KEY (id),
	CONSTRAINT "fk self" FOREIGN KEY(self_id) REFERENCES "odd ""table" (id) ON DELETE CASCADE,
	UNIQUE ("na""me, x", [key]),
	CHECK (rate <> 99)
  );
  CREATE UNIQUE INDEX ux_odd ON "odd ""table" (lower("na""me, x") DESC) WHERE rate IS NOT NULL;
  CREATE INDEX ix_odd ON "odd ""table" (owner_id, self_id COLLATE BINARY);
  CREATE TABLE children (id INTEGER PRIMARY KEY, odd_id INTEGER REFERENCES "odd ""table" (id) ON DELETE CASCADE);
  CREATE TABLE log (line TEXT);
  CREATE VIEW overview AS SELECT o.id, c.id AS child FROM "odd ""table" o LEFT JOIN children c ON c.odd_id = o.id;
  CREATE VIEW broken AS SELECT * FROM no_such_table;
  CREATE TRIGGER on_odd AFTER DELETE ON "odd ""table" BEGIN INSERT INTO log VALUES ('gone; ' || old.id); END;
  CREATE TRIGGER on_child AFTER INSERT ON children BEGIN UPDATE "odd ""table" SET late = '1' WHERE id = new.odd_id; END;
  INSERT INTO owners VALUES (1);
  INSERT INTO "odd ""table" (id, "na""me, x", [key], owner_id, self_id) VALUES (7, 'seven', 'k', 1, NULL), (9, 'nine', 'k', 1, 7);
  INSERT INTO children VALUES (1, 7), (2, 9);

  CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);
  INSERT INTO counted VALUES (5, 'a'), (50, 'b');
  DELETE FROM counted WHERE id = 50;
  CREATE TABLE pairs (a TEXT, b TEXT, v TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID, STRICT;
  INSERT INTO pairs VALUES ('a', 'b', NULL);
  CREATE TABLE loose (rowid TEXT, v TEXT);
  INSERT INTO loose (_rowid_, rowid, v) VALUES (3, 'x', NULL), (8, 'y', NULL);
`;
const odd = 'odd "table';

describe('a rebuilt table of SQLite', () => {
  let database: Database.Database;
  let schema: OpenSchema;
  const everything = (): unknown[] =>
    database.prepare(`SELECT type, name, sql FROM sqlite_master WHERE name <> ? ORDER BY type, name`).all(odd);
  const column = (name: string): unknown =>
    database.prepare('SELECT type, "notnull", dflt_value FROM pragma_table_xinfo(?) WHERE name = ?').get(odd, name);
  const rows = (): unknown[] => database.prepare('SELECT rowid, * FROM "odd ""table" ORDER BY id').all();
  const sql = (table: string): unknown =>
    database.prepare('SELECT sql FROM sqlite_master WHERE name = ?').pluck().get(table);

  beforeEach(async () => {
    database = new Database(':memory:');
    database.pragma('foreign_keys = OFF');
    database.exec(file);
    database.exec('BEGIN');
    schema = await openSchema(sqliteSession(database));
  });

  it.each<readonly [string, string, (to: OpenSchema) => Promise<unknown>, unknown]>([
    ['a type', 'rate', (to) => to.setType(odd, 'rate', 'DOUBLE PRECISION'), ['FLOAT', 0, '-1.5']],
    ['NOT NULL', 'owner_id', (to) => to.setNotNull(odd, 'owner_id'), ['INTEGER', 1, 'NULL']],
    ['no NOT NULL', 'made', (to) => to.dropNotNull(odd, 'made'), ['DATETIME', 0, "datetime('now')"]],
    ['a default', 'key', (to) => to.setDefault(odd, 'key', "'it''s'"), ['TEXT', 0, "'it''s'"]],
    ['an expression', 'rate', (to) => to.setDefault(odd, 'rate', '2 * 3'), ['NUMERIC(10, 2)', 0, '2 * 3']],
    ['no default', 'na"me, x', (to) => to.dropDefault(odd, 'na"me, x'), ['VARCHAR(20)', 1, null]],
  ])('gets %s and keeps everything else', async (_, name, change, expected) => {
    const before = { everything: everything(), rows: rows(), text: sql(odd) };
    await change(schema);
    expect(Object.values(column(name) ?? {})).toEqual(expected);
    expect({ everything: everything(), rows: rows() }).toEqual({ everything: before.everything, rows: before.rows });
    // all other parts are unchanged, word for word
    const kept = (text: unknown): string[] =>
      String(text)
        .split('\n')
        .filter((line) => !line.includes(name.replace('"', '""')));
    expect(kept(sql(odd)).slice(1)).toEqual(kept(before.text).slice(1));
    expect(database.pragma('foreign_key_check')).toEqual([]);
  });

  it('is left alone if nothing changes', async () => {
    const before = sql(odd);
    await schema.setNotNull(odd, 'made');
    await schema.dropNotNull(odd, 'rate');
    await schema.setDefault(odd, 'rate', '-1.5');
    await schema.setType(odd, 'rate', 'numeric(10,2)');
    await schema.dropDefault(odd, 'key');
    expect(sql(odd)).toBe(before);
  });

  it('keeps its triggers, cascades and checks', async () => {
    await schema.setType(odd, 'late', 'TEXT');
    database.exec('COMMIT; PRAGMA foreign_keys = ON');
    database.exec('INSERT INTO children VALUES (3, 9)');
    expect(database.prepare('SELECT late FROM "odd ""table" WHERE id = 9').pluck().get()).toBe('1');
    expect(() => database.exec('UPDATE "odd ""table" SET rate = 99')).toThrow(/CHECK/);
    expect(() => database.exec('UPDATE "odd ""table" SET "na""me, x" = \'SEVEN\' WHERE id = 9')).toThrow(/UNIQUE/);
    database.exec('DELETE FROM "odd ""table" WHERE id = 7');
    expect(database.prepare('SELECT line FROM log ORDER BY line').pluck().all()).toEqual(['gone; 7', 'gone; 9']);
    expect(database.prepare('SELECT count(*) FROM children').pluck().get()).toBe(0);
  });

  it('gets a constraint once, by its name or its meaning', async () => {
    expect(await schema.addConstraint(odd, 'fk self', 'CHECK (TRUE)')).toBe(false);
    expect(await schema.addConstraint(odd, 'ck_key', 'CHECK (TRUE)')).toBe(false);
    expect(await schema.addConstraint(odd, 'uq_other', 'unique("na""me, x", key)')).toBe(false);
    expect(await schema.addConstraint(odd, 'uq_late', 'UNIQUE (late, id)')).toBe(true);
    expect(await schema.addConstraint(odd, 'uq_late', 'UNIQUE (late, id)')).toBe(false);
    expect(sql(odd)).toContain('CONSTRAINT "uq_late" UNIQUE (late, id)');
    await expect(schema.addConstraint(odd, 'uq_rate', 'UNIQUE (rate)')).rejects.toThrow(/UNIQUE constraint failed/);
  });

  it('gets a column that ALTER TABLE cannot add before the table constraints', async () => {
    expect(await schema.addColumn(odd, 'code', 'VARCHAR(9) DEFAULT CURRENT_TIMESTAMP NOT NULL')).toBe(true);
    expect(database.prepare('SELECT count(code) FROM "odd ""table"').pluck().get()).toBe(2);
    await expect(schema.addColumn(odd, 'must', 'INTEGER NOT NULL')).rejects.toThrow(/NOT NULL constraint failed/);
  });

  it('makes the step fail if the rows break a check', async () => {
    await expect(schema.addConstraint(odd, 'ck_id', 'CHECK (id < 0)')).rejects.toThrow(/CHECK constraint failed/);
  });

  it('loses a column with the constraints that use it, and only those', async () => {
    await schema.dropColumn(odd, 'self_id');
    await schema.dropColumn(odd, 'key');
    expect(schema.hasColumn(odd, 'KEY')).toBe(false);
    expect(sql(odd)).not.toMatch(/fk self|UNIQUE/);
    expect(sql(odd)).toMatch(/PRIMARY KEY \(id\)[^]*CHECK \(rate <> 99\)/);
    expect(await schema.query(`SELECT name FROM pragma_index_list($1) WHERE origin = 'c'`, [odd])).toEqual([
      { name: 'ux_odd' },
    ]);
  });

  it('keeps a column that a view or trigger still needs', async () => {
    database.exec('DROP VIEW broken; CREATE VIEW keys AS SELECT "key" FROM "odd ""table"; ');
    await schema.addColumn(odd, 'plain', 'TEXT');
    database.exec('CREATE VIEW plains AS SELECT plain FROM "odd ""table"');
    await expect(schema.dropColumn(odd, 'plain')).rejects.toThrow(/error in view plains/);
  });

  it('keeps rowids, AUTOINCREMENT and its count, WITHOUT ROWID and STRICT', async () => {
    await schema.setNotNull('counted', 'v');
    await schema.run("INSERT INTO counted (v) VALUES ('c')");
    expect(await schema.query('SELECT id FROM counted ORDER BY id')).toEqual([{ id: 5 }, { id: 51 }]);
    await schema.setDefault('pairs', 'v', "''");
    expect(sql('pairs')).toMatch(/\) WITHOUT ROWID, STRICT$/);
    expect(await schema.query('SELECT * FROM pairs')).toEqual([{ a: 'a', b: 'b', v: null }]);
    await schema.setDefault('loose', 'v', "''");
    expect(await schema.query('SELECT _rowid_ AS id, "rowid" AS text FROM loose')).toEqual([
      { id: 3, text: 'x' },
      { id: 8, text: 'y' },
    ]);
  });

  it('is not touched while foreign keys are on', async () => {
    database.exec('COMMIT; PRAGMA foreign_keys = ON; BEGIN');
    const before = rows();
    await expect(schema.setDefault(odd, 'rate', '7')).rejects.toThrow(/foreign_keys = OFF/);
    expect(rows()).toEqual(before);
  });

  it('is not rebuilt if ALTER TABLE can make the change', async () => {
    const place = (): unknown => database.prepare('SELECT rootpage FROM sqlite_master WHERE name = ?').pluck().get(odd);
    const before = place();
    await schema.setNotNull(odd, 'owner_id');
    await schema.dropNotNull(odd, 'made');
    expect(await schema.addConstraint(odd, 'ck_owner', 'CHECK (owner_id > -9)')).toBe(true);
    expect(await schema.addConstraint(odd, 'ck_owner', 'CHECK (owner_id > -9)')).toBe(false);
    expect(place()).toBe(before);
    expect(sql(odd)).toContain('CONSTRAINT "ck_owner" CHECK (owner_id > -9)');
    await schema.setDefault(odd, 'rate', '7');
    expect(place()).not.toBe(before);
  });

  it('makes the step fail if the rows do not fit', async () => {
    await expect(schema.setNotNull(odd, 'self_id')).rejects.toThrow(/NOT NULL constraint failed/);
  });
});
