import { describe, expect, it } from 'vitest';
import {
  changeTable,
  hasConstraint,
  namedConstraints,
  parseTable,
  renderTable,
  type TableChange,
} from '../../../src/migration/schema-builder/table-text.ts';

const change = (body: string, what: TableChange): string =>
  renderTable('t', changeTable(parseTable(`CREATE TABLE x (${body})`), what)).replace('CREATE TABLE "t" ', '');

describe('the stored text of a table', () => {
  it('is reproduced word for word', () => {
    const body = `(a INT, -- one, (two\n\t"b,""" TEXT DEFAULT ('),('), [c)] /* ) */, CHECK (a IN (1, 2))) WITHOUT ROWID`;
    expect(renderTable('t', parseTable(`create table "t(" ${body}`.replace('"t("', '"t"')))).toBe(
      `CREATE TABLE "t" ${body}`,
    );
  });

  it('is only read from ordinary tables', () => {
    expect(() => parseTable('CREATE VIRTUAL TABLE f USING fts5(a)')).toThrow(/ordinary table/);
    expect(() => parseTable('CREATE TABLE f (a')).toThrow(/parenthesis/);
  });

  it.each<readonly [string, TableChange, string]>([
    ['a INT NULL DEFAULT 1', { kind: 'setNotNull', column: 'a' }, '(a INT DEFAULT 1 NOT NULL)'],
    ['a INT NOT NULL, b', { kind: 'dropNotNull', column: 'A' }, '(a INT , b)'],
    ['a INT CONSTRAINT n NOT NULL UNIQUE', { kind: 'dropNotNull', column: 'a' }, '(a INT UNIQUE)'],
    [
      'a REFERENCES p ON DELETE SET DEFAULT NOT NULL',
      { kind: 'dropDefault', column: 'a' },
      '(a REFERENCES p ON DELETE SET DEFAULT NOT NULL)',
    ],
    ['a INT DEFAULT NULL NOT NULL', { kind: 'dropDefault', column: 'a' }, '(a INT NOT NULL)'],
    ['a INT NOT DEFERRABLE', { kind: 'setNotNull', column: 'a' }, '(a INT NOT DEFERRABLE NOT NULL)'],
    ['a INT DEFAULT -1', { kind: 'setDefault', column: 'a', expression: 'FALSE' }, '(a INT DEFAULT FALSE)'],
    ['a', { kind: 'setDefault', column: 'a', expression: "'a' || 'b'" }, "(a DEFAULT ('a' || 'b'))"],
    ['a INT -- why\n', { kind: 'setNotNull', column: 'a' }, '(a INT -- why\nNOT NULL)'],
    ['a, b, CHECK (a)', { kind: 'addColumn', column: 'c', definition: 'INT' }, '(a, b, "c" INT, CHECK (a))'],
    [
      'a, "key", PRIMARY KEY (a), FOREIGN KEY (a) REFERENCES p ("key"), UNIQUE (a, KEY)',
      { kind: 'dropColumn', column: 'key' },
      '(a, PRIMARY KEY (a), FOREIGN KEY (a) REFERENCES p ("key"))',
    ],
    [
      'a INT CONSTRAINT k REFERENCES p (b) ON DELETE SET NULL NOT NULL, b REFERENCES p (a), CONSTRAINT f FOREIGN KEY("A") REFERENCES p, FOREIGN KEY (a, b) REFERENCES p',
      { kind: 'dropForeignKeys', column: 'a' },
      '(a INT NOT NULL, b REFERENCES p (a), FOREIGN KEY (a, b) REFERENCES p)',
    ],
    ['a INT  UNIQUE,b', { kind: 'dropForeignKeys', column: 'a' }, '(a INT  UNIQUE,b)'],
  ])('%s', (body, what, expected) => {
    expect(change(body, what)).toBe(expected);
  });

  it('contains the constraints', () => {
    const table = parseTable(
      'CREATE TABLE x (a CONSTRAINT "C 1" CHECK (a > 0), CONSTRAINT c2 UNIQUE("a"), FOREIGN KEY(a) REFERENCES p (id))',
    );
    expect(hasConstraint(table, 'c 1', 'CHECK (TRUE)')).toBe(true);
    expect(hasConstraint(table, 'C2', 'CHECK (TRUE)')).toBe(true);
    expect(hasConstraint(table, 'other', 'UNIQUE (a)')).toBe(true);
    expect(hasConstraint(table, 'other', 'FOREIGN KEY (a) REFERENCES p(id)')).toBe(true);
    expect(hasConstraint(table, 'other', 'FOREIGN KEY (a) REFERENCES p(id) ON DELETE CASCADE')).toBe(false);
    expect(hasConstraint(table, 'c', 'CHECK (a > 0)')).toBe(false);
  });

  it('contains the names of its constraints, behind a column or behind all columns', () => {
    const table = parseTable(
      `CREATE TABLE x (a INT CONSTRAINT n NOT NULL CONSTRAINT k REFERENCES p(id) ON DELETE SET NULL,
                       b INT CONSTRAINT u UNIQUE CONSTRAINT "C 1" CHECK (b > 0) REFERENCES p(id),
                       CONSTRAINT both UNIQUE (a, b), CHECK (a > 0))`,
    );
    expect(Object.fromEntries(namedConstraints(table))).toEqual({
      'FOREIGN KEY (a) REFERENCES p(id) ON DELETE SET NULL': 'k',
      'UNIQUE (b)': 'u',
      'CHECK (b > 0)': 'C 1',
      'UNIQUE (a, b)': 'both',
    });
  });
});
