import { type RepairContext, conditionsOf, parseRule } from '../../../src/repair/constraint-rules.ts';
import { type DatabaseFacts, noRuntimeFacts } from '../../../src/model/database-facts.ts';
import type { Column, Table } from '../../../src/model/catalog.ts';
import { describe, expect, it } from 'vitest';

describe('a rule', () => {
  it.each([
    ['PRIMARY KEY (id)', { kind: 'unique', columns: ['id'], primary: true, predicate: null }],
    ['UNIQUE (a, "B c")', { kind: 'unique', columns: ['a', 'B c'], primary: false, predicate: null }],
    [
      'UNIQUE btree (user_id) WHERE (end_time IS NULL)',
      { kind: 'unique', columns: ['user_id'], primary: false, predicate: '(end_time IS NULL)' },
    ],
    [
      'FOREIGN KEY (a, b) REFERENCES "T t"(x, y) ON DELETE SET NULL',
      { kind: 'reference', columns: ['a', 'b'], target: 'T t', targets: ['x', 'y'] },
    ],
    ['CHECK ((a > 0))', { kind: 'check', columns: ['a', '0'], expression: '((a > 0))' }],
    ['btree (a, b)', { kind: 'none', columns: [] }],
    ['UNIQUE btree (lower(name))', { kind: 'none', columns: [] }],
  ])('is read from %s', (definition, rule) => {
    expect(parseRule(definition)).toEqual(rule);
  });
});

const column = (type: string, value: string | null = null): Column => ({ type, notNull: false, default: value });
const table = (columns: Table['columns']): Table => ({ columns, constraints: {}, indexes: {} });

/** What is promised, and what of it is there. */
function context(promised: Record<string, Table>, found: Record<string, Table>): RepairContext {
  const catalog = { tables: found, enums: {} };
  const facts: DatabaseFacts = {
    schema: 'main',
    elsewhere: [],
    forbidden: [],
    relations: [],
    catalog,
    revisions: [],
    types: [],
    foreignLedgers: [],
    otherSessions: [],
    runtime: noRuntimeFacts,
  };
  return { facts, head: { tables: promised, enums: {} }, seed: {}, engine: 'postgresql' };
}

const finds = (definition: string, given: RepairContext): readonly string[] =>
  conditionsOf('child', parseRule(definition), given).map(({ find }) => find);

describe('the rows that break a rule', () => {
  const parent = table({ id: column('integer') });
  const child = table({ id: column('integer'), parent_id: column('integer'), code: column('text', "'x'::text") });
  const promised = { child, parent };

  it('are searched among the rows with a value', () => {
    expect(finds('UNIQUE (id, code)', context(promised, promised))).toEqual([
      'SELECT "id", "code", count(*) AS rows_alike FROM "child" AS t WHERE "id" IS NOT NULL AND "code" IS NOT NULL GROUP BY "id", "code" HAVING count(*) > 1',
    ]);
  });

  it('include the rows without a value for a primary key', () => {
    expect(finds('PRIMARY KEY (id)', context(promised, promised))).toEqual([
      'SELECT * FROM "child" AS t WHERE "id" IS NULL',
      expect.stringContaining('HAVING count(*) > 1'),
    ]);
  });

  it('are computed with the columns that will be added', () => {
    const [find] = finds('UNIQUE (code)', context(promised, { child: table({ id: column('integer') }), parent }));
    expect(find).toContain(`FROM (SELECT *, CAST('x'::text AS text) AS "code" FROM "child") AS t`);
  });

  it('are all rows with a reference if the table that they refer to is missing', () => {
    const [find] = finds('FOREIGN KEY (parent_id) REFERENCES parent(id)', context(promised, { child }));
    expect(find).toContain('(SELECT CAST(NULL AS integer) AS "id" WHERE false) AS parent');
  });
});
