import { describe, expect, it } from 'vitest';
import { isPlainStatement } from '../../../src/database/sqlite/schema-statement.ts';

const plain = [
  `CREATE TABLE t (
     id INTEGER NOT NULL, note VARCHAR(50) DEFAULT 'it''s' COLLATE NOCASE, rate NUMERIC(10, 2) DEFAULT (-1.5),
     at DATETIME DEFAULT (datetime('now')), is_on BOOLEAN DEFAULT 1 NOT NULL CHECK (is_on IN (0, 1)),
     other INTEGER REFERENCES u (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
     PRIMARY KEY (id), CONSTRAINT c CHECK (rate >= 0 AND ("id" <> 1 OR note IS NOT NULL)), UNIQUE (note, rate DESC)
   )`,
  'CREATE TABLE "t" ("a b" TEXT) WITHOUT ROWID, STRICT',
];

/** What a definition can hide that runs a function, reads another table or is another kind of object. */
const hidden = [
  'CREATE TABLE t (a INTEGER CHECK (abs(a) > 1))',
  'CREATE TABLE t (a INTEGER CHECK ("abs"(a) > 1))',
  'CREATE TABLE t (a INTEGER CHECK ("abs" (a) > 1))',
  'CREATE TABLE t (a INTEGER CHECK ([abs](a) > 1))',
  'CREATE TABLE t (a INTEGER CHECK (`abs`(a) > 1))',
  'CREATE TABLE t (a INTEGER CHECK (abs/**/(a) > 1))',
  'CREATE TABLE t (a INTEGER CHECK (a /* ) > 1 AND abs ( */ > 1))',
  'CREATE TABLE t (a INTEGER CHECK (abs--\n(a) > 1))',
  'CREATE TABLE t (a INTEGER CHECK (a IN (SELECT 1)))',
  'CREATE TABLE t (a INTEGER CHECK (a IN u))',
  'CREATE TABLE t (a INTEGER CHECK (a IN "u"))',
  'CREATE TABLE t (a INTEGER CHECK (a IN main.u))',
  'CREATE TABLE t (a INTEGER CHECK (CASE WHEN a THEN 1 END))',
  'CREATE TABLE t (a INTEGER CHECK (CAST(a AS TEXT) = 1))',
  'CREATE TABLE t (a TEXT CHECK (a REGEXP 1))',
  'CREATE TABLE t (a TEXT CHECK (a MATCH 1))',
  "CREATE TABLE t (a TEXT CHECK (a -> '$.x' = 1))",
  "CREATE TABLE t (a TEXT CHECK (a ->> '$.x' = 1))",
  'CREATE TABLE t (a TEXT COLLATE evil)',
  'CREATE TABLE t (a TEXT CHECK (a COLLATE evil = 1))',
  'CREATE TABLE t (a INTEGER CHECK (RAISE(ABORT)))',
  'CREATE TABLE t (a TEXT DEFAULT (hex(1)))',
  "CREATE TABLE t (a TEXT DEFAULT (datetime('now', '+1 day')))",
  "CREATE TABLE t (a TEXT DEFAULT (datetime('x')))",
  'CREATE TABLE t (a INTEGER, b GENERATED ALWAYS AS (a + 1))',
  'CREATE TABLE t (a INTEGER, b AS (a + 1) STORED)',
  'CREATE TABLE t (a INTEGER, b INTEGER AS (abs(a)))',
  'CREATE TABLE t (a INTEGER UNIQUE ON CONFLICT REPLACE)',
  'CREATE TABLE t (a INTEGER NOT NULL ON CONFLICT IGNORE)',
  'CREATE TABLE t AS SELECT 1',
  'CREATE TEMP TABLE t (a INTEGER)',
  'CREATE TABLE main.t (a INTEGER)',
  'CREATE TABLE IF NOT EXISTS t (a INTEGER)',
  'CREATE TABLE u (a INTEGER)',
  'CREATE TABLE T (a INTEGER)',
  'CREATE TABLE t (a INTEGER);',
  'CREATE TABLE t (a INTEGER); DROP TABLE u',
  'CREATE TABLE t (a INTEGER) -- x',
  'CREATE TABLE t (a INTEGER\0)',
  'CREATE VIRTUAL TABLE t USING fts5 (a)',
  'CREATE VIRTUAL TABLE t USING dbstat (main)',
  'CREATE VIEW t AS SELECT 1',
  'CREATE TRIGGER t AFTER INSERT ON u BEGIN SELECT 1; END',
];

const hiddenIndexes = [
  'CREATE INDEX t ON u (lower(a))',
  'CREATE INDEX t ON u ("lower"(a))',
  'CREATE INDEX t ON u (a + 1)',
  'CREATE INDEX t ON u (a COLLATE evil)',
  'CREATE INDEX t ON u (a) WHERE abs(a) > 1',
  'CREATE INDEX t ON u (a) WHERE "abs"(a) > 1',
  'CREATE INDEX t ON u (a) WHERE a IN (SELECT 1)',
  'CREATE INDEX t ON u (a) WHERE a > 1; DROP TABLE u',
  'CREATE INDEX main.t ON u (a)',
  'CREATE INDEX other ON u (a)',
];

describe('the definition of a table or an index in a SQLite file', () => {
  it('is plain if it calls no function', () => {
    expect(plain.filter((sql) => !isPlainStatement('table', 't', sql))).toEqual([]);
    expect(
      isPlainStatement('index', 't', "CREATE UNIQUE INDEX t ON u (a, b DESC) WHERE a IS NOT NULL AND b = 'x'"),
    ).toBe(true);
  });

  it('is not plain if it could call a function, or defines another object', () => {
    expect(hidden.filter((sql) => isPlainStatement('table', 't', sql))).toEqual([]);
    expect(hiddenIndexes.filter((sql) => isPlainStatement('index', 't', sql))).toEqual([]);
  });
});
