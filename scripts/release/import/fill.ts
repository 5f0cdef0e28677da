import type { Catalog, Column } from '../../../src/model/catalog.ts';
import { readConfig } from '../../../src/config/config.ts';
import { quoteName, quoteText } from '../../../src/platform/sql-quoting.ts';
import type { Transaction } from '../../../src/database/database.ts';
import type { Session } from '../../../src/database/session.ts';
import { writeSeed } from '../../../src/seed/write-seed.ts';
import { readSeedOptions } from '../../../src/seed/options.ts';
import { reasonOf } from '../../../src/errors/failure.ts';
import { versionTable } from '../../../src/schema/catalog.ts';
import { withDatabase } from '../../with-database.ts';
import { applicationName } from './databases.ts';

const seedSize: Readonly<Record<string, string>> = {
  users: '3',
  clients: '3',
  'projects-per-client': '2',
  'tasks-per-project': '2',
  'time-entries': '30',
  'days-back': '30',
  expenses: '6',
  comments: '6',
  'stock-items': '4',
  'stock-movements': '6',
  invoices: '4',
};

const developmentSeed = 'the development seed';

/**
 * Fills a database with rows: the development seed, and a few more rows in every table. Each cell has a different value if
 * the type allows it, so that a renamed column can be recognised by its values.
 * @returns the tables that could not be filled, with the reason
 */
export function fill(url: string, now: Date, signal: AbortSignal): Promise<readonly string[]> {
  return withAttempts(url, signal, async (transaction, attempt) => {
    const ignore = (): void => undefined;
    const log = { info: ignore, warn: ignore, error: ignore };
    const config = readConfig({ DATABASE_URL: url }, '/');
    const options = readSeedOptions(new Map(Object.entries(seedSize)), new Set());
    await attempt(developmentSeed, () => writeSeed(transaction, { config, log, signal }, options, now));
    const { catalog } = await transaction.observe();
    for (const table of inDependencyOrder(catalog)) await insertRows(transaction, catalog, table, attempt);
  });
}

/** Fills tables that were created later. @returns the tables that could not be filled, with the reason */
export function fillTables(url: string, tables: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  return withAttempts(url, signal, async (transaction, attempt) => {
    const { catalog } = await transaction.observe();
    for (const table of inDependencyOrder(catalog)) {
      if (tables.includes(table)) await insertRows(transaction, catalog, table, attempt);
    }
  });
}

type Attempt = (what: string, work: () => Promise<unknown>) => Promise<void>;

/** Runs `work` in a transaction in which attempts may fail. @returns the tables without rows, with the reason */
function withAttempts(
  url: string,
  signal: AbortSignal,
  work: (transaction: Transaction, attempt: Attempt) => Promise<void>,
): Promise<readonly string[]> {
  return withDatabase(url, { applicationName, signal }, (database) =>
    database.transaction(async (transaction) => {
      const refused = new Map<string, string>();
      await work(transaction, async (what, insert) => {
        await transaction.run('SAVEPOINT filling');
        try {
          await insert();
        } catch (error) {
          signal.throwIfAborted();
          await transaction.run('ROLLBACK TO SAVEPOINT filling');
          refused.set(what, reasonOf(error));
        }
        await transaction.run('RELEASE SAVEPOINT filling');
      });
      const without: string[] = [];
      for (const [what, reason] of refused) {
        const held =
          what === developmentSeed ? [] : await transaction.query(`SELECT 1 FROM ${quoteName(what)} LIMIT 1`);
        if (held.length === 0) without.push(`rows of ${what} (${reason})`);
      }
      return without;
    }),
  );
}

async function insertRows(session: Session, catalog: Catalog, table: string, attempt: Attempt): Promise<void> {
  if (table === versionTable) return;
  for (const position of [1, 2]) await attempt(table, () => insertRow(session, catalog, table, position));
}

function inDependencyOrder({ tables }: Catalog): readonly string[] {
  const visited = new Set<string>();
  const visit = (name: string): string[] => {
    const table = tables[name];
    if (table === undefined || visited.has(name)) return [];
    visited.add(name);
    return [
      ...Object.values(table.constraints).flatMap((rule) => visit(/ REFERENCES "?(\w+)/.exec(rule)?.[1] ?? '')),
      name,
    ];
  };
  return Object.keys(tables).flatMap(visit);
}

async function insertRow(session: Session, { tables, enums }: Catalog, name: string, position: number): Promise<void> {
  const table = tables[name];
  if (table === undefined) return;
  const references = new Map(
    Object.values(table.constraints).flatMap((rule) => {
      const [, column, target, key] = /^FOREIGN KEY \("?(\w+)"?\) REFERENCES "?(\w+)"?\("?(\w+)"?\)/.exec(rule) ?? [];
      return column === undefined
        ? []
        : [[column, `(SELECT ${position === 1 ? 'min' : 'max'}(${key}) FROM ${target})`] as const];
    }),
  );
  const rules = Object.values(table.constraints);
  const cells = Object.entries(table.columns).flatMap(([column, definition], index): [string, string][] => {
    // the database numbers the key
    if (rules.includes(`PRIMARY KEY (${column})`) && /int/i.test(definition.type) && !references.has(column)) return [];
    return [
      [quoteName(column), references.get(column) ?? valueOf(name, column, definition, enums, index * 2 + position)],
    ];
  });
  const columns = cells.map(([column]) => column).join(', ');
  await session.run(
    `INSERT INTO ${quoteName(name)} (${columns}) VALUES (${cells.map(([, value]) => value).join(', ')})`,
  );
}

/** A value of the type, on either engine, that differs from the values of the other columns. */
function valueOf(
  table: string,
  column: string,
  { type, default: expression }: Column,
  enums: Catalog['enums'],
  number: number,
): string {
  const labels = enums[type.replaceAll('"', '')];
  if (labels !== undefined) return quoteText(labels[number % labels.length] ?? '');
  // a check may allow only certain words, and the default is one of them
  const word = /^'([a-z_]+)'/.exec(expression ?? '')?.[1];
  if (word !== undefined) return quoteText(word);
  const lower = type.toLowerCase();
  if (lower.startsWith('bool')) return number % 2 === 0 ? 'TRUE' : 'FALSE';
  if (lower.includes('json')) return quoteText(JSON.stringify([`${table}.${column}`, number]));
  if (lower === 'interval') return "'1 hour'";
  if (/timestamp|datetime/.test(lower))
    return quoteText(`2024-01-${String((number % 28) + 1).padStart(2, '0')} 10:00:00`);
  if (lower === 'date') return quoteText(`2024-02-${String((number % 28) + 1).padStart(2, '0')}`);
  if (lower.startsWith('time')) return quoteText(`10:${String(number % 60).padStart(2, '0')}:00`);
  const [, precision, scale] = /^(?:numeric|decimal)\((\d+), ?(\d+)\)/.exec(lower) ?? [];
  if (precision !== undefined && Number(precision) - Number(scale) < 2) return String(number % 2);
  if (/int|numeric|decimal|float|real|double/.test(lower)) return String((number % 90) + 1);
  if (lower.includes('uuid')) return quoteText(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);
  const text = `${column} ${number}`;
  const width = Number(/\((\d+)\)/.exec(type)?.[1] ?? text.length);
  return quoteText(width < text.length ? String(number).slice(-width) : text);
}
