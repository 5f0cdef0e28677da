import { hash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { conversionToSqlite, type ColumnConversion, type SqliteValue } from '../../database/conversion/to-sqlite.ts';
import { copyNull, copyText, Misfit, type Tally } from '../../database/conversion/convert.ts';
import type { DumpReader, DumpTable, DumpValue } from '../../database/postgres/dump/row-reader.ts';
import { quoteName, quoteText } from '../../platform/sql-quoting.ts';
import { openRows } from '../../database/sqlite/row-reader.ts';
import { openWriter, type RowWriter } from '../../database/sqlite/row-writer.ts';
import type { Catalog, Table } from '../../model/catalog.ts';
import type { Engine } from '../../model/engine.ts';
import type { Loaded, Misfits } from '../../model/transfer.ts';
import { renderTable } from '../../migration/schema-builder/catalog-sql.ts';
import { widthAtHead } from '../../migration/ledger.ts';
import { releaseGraph } from '../../migration/revisions.ts';
import { createVersionTable } from '../../migration/version-column.ts';
import { sync } from '../../platform/durable-file.ts';
import { reasonColumn } from '../../quarantine/rows.ts';
import { parseRule } from '../../repair/constraint-rules.ts';
import { namesIn, tokenize } from '../../migration/schema-builder/sql-tokens.ts';
import { constraintEffect } from '../../schema/comparison.ts';
import { acceptedAlternative } from '../../schema/known-divergences.ts';
import { versionTable } from '../../schema/catalog.ts';
import { loadHead } from '../../schema/expected-schema.ts';
import { catalogAt, loadHistory } from '../../schema/history.ts';
import { type LoadOptions, type MisfitLedger, openMisfits, rowsDoNotFit, shortened, shownValue } from './misfits.ts';

/** The target of the rows of a dump. */
export interface DumpLoading extends LoadOptions {
  /** The path of the new file. */
  readonly file: string;
  /** The revisions of the dump. */
  readonly revisions: readonly string[];
  /** The prefix of the tables for rows that do not fit. */
  readonly aside: string;
}

interface Column {
  readonly name: string;
  /** The type, as PostgreSQL prints it. */
  readonly type: string;
  readonly conversion: ColumnConversion;
  readonly tally: Tally;
}

interface TableToFill {
  readonly name: string;
  readonly columns: readonly Column[];
  /** The expected table; null for a table of the owner's. */
  readonly promised: Table | null;
  readonly ownColumns: readonly string[];
  readonly key: readonly string[];
  readonly sent: RowSum;
}

/**
 * Makes the schema of the dump's revision in a new SQLite file, as far as the dump has it, and fills it with the rows
 * of the dump. Then reads back every row and compares it with the dump.
 * @throws Failure `restore-refused` (`rows-do-not-fit`); Error if the rows that are read back differ
 */
export async function loadDump(dump: DumpReader, loading: DumpLoading): Promise<Loaded> {
  const started = performance.now();
  const { file, revisions } = loading;
  const promised = await promisedBy(revisions, 'sqlite');
  const tables = tablesToFill(dump, promised, await promisedBy(revisions, 'postgresql'));
  const writer = openWriter(file);
  const totals = { rows: 0, bytes: 0 };
  const ledger = openMisfits();
  try {
    chmodSync(file, 0o600);
    for (const statement of schemaOf(tables.values())) writer.run(statement);
    writer.run(createVersionTable(widthAtHead('sqlite')));
    for (const revision of revisions) {
      writer.run(`INSERT INTO ${versionTable} (version_num) VALUES (${quoteText(revision)})`);
    }
    const takers = new Map(
      [...tables].map(([table, into]) => [table, takeInto(into, { writer, ledger, aside: loading.aside })]),
    );
    await dump.read((table, row) => {
      const bytes = takers.get(table)?.(row) ?? null;
      if (bytes === null) return;
      totals.rows += 1;
      totals.bytes += bytes;
    });
    if (ledger.found.length > 0 && !loading.setAside) {
      throw rowsDoNotFit('sqlite', ledger.found, loading);
    }
    for (const statement of plainIndexesOf(tables.values())) writer.run(statement);
    writer.commit();
  } finally {
    writer.close();
  }
  await compare(file, tables.values(), loading.signal);
  if (ledger.found.length > 0) setFollowersAside(file, tables.values(), ledger, loading.aside);
  sync(file);
  const all = [...tables.values()];
  return {
    engine: 'sqlite',
    tables: all.length,
    ...totals,
    seconds: (performance.now() - started) / 1000,
    conversions: all.flatMap(({ name, columns }) =>
      columns.flatMap((column) =>
        [...column.tally].map(([conversion, values]) => ({ column: `${name}.${column.name}`, conversion, values })),
      ),
    ),
    extras: {
      tables: all.filter((table) => table.promised === null).map(({ name }) => name),
      columns: all.flatMap(({ name, ownColumns }) => ownColumns.map((column) => `${name}.${column}`)),
    },
    aside: ledger.found.length > 0 ? { place: loading.aside, misfits: ledger.found } : null,
  };
}

/**
 * The expected schema of these revisions, and the additions of the head: some releases have made tables and columns
 * before the revision that they belong to.
 */
async function promisedBy(revisions: readonly string[], engine: Engine): Promise<Catalog> {
  const present = catalogAt(revisions, releaseGraph, await loadHistory(engine));
  const head = await loadHead(engine);
  const later = ([name, table]: readonly [string, Table]): readonly [string, Table] => {
    const columns = Object.entries(head.tables[name]?.columns ?? {}).map(
      ([column, definition]) => [column, { ...definition, notNull: false }] as const,
    );
    return [name, { ...table, columns: { ...Object.fromEntries(columns), ...table.columns } }];
  };
  return {
    tables: { ...head.tables, ...Object.fromEntries(Object.entries(present.tables).map(later)) },
    enums: { ...head.enums, ...present.enums },
  };
}

/**
 * The tables of a dump, with their expected columns on SQLite and PostgreSQL. Tables of other schemas get the schema as
 * a prefix.
 */
function tablesToFill(
  { schema, tables }: DumpReader,
  promised: Catalog,
  onServer: Catalog,
): ReadonlyMap<DumpTable, TableToFill> {
  const found = new Map<DumpTable, TableToFill>();
  const indexes = Object.values(promised.tables).flatMap((table) => Object.keys(table.indexes));
  const nameFor = namesApart([...Object.keys(promised.tables), ...indexes]);
  for (const table of tables) {
    const ours = table.schema === schema;
    // SQLite has no tables without columns
    if ((ours && table.name === versionTable) || table.columns.length === 0) continue;
    const promise = ours ? (promised.tables[table.name] ?? null) : null;
    const name = promise === null ? nameFor(ours ? table.name : `${table.schema}.${table.name}`) : table.name;
    const columnNameFor = namesApart(Object.keys(promise?.columns ?? {}));
    const columns = table.columns.map(({ name: column, type }): Column => {
      const known = promise !== null && Object.hasOwn(promise.columns, column);
      const wanted = known ? (onServer.tables[table.name]?.columns[column]?.type ?? null) : null;
      const plain = wanted !== null && Object.hasOwn(onServer.enums, wanted) ? 'text' : wanted;
      const present = type ?? plain ?? 'text';
      return {
        name: known ? column : columnNameFor(column),
        type: present,
        conversion: conversionToSqlite(present, plain),
        tally: new Map(),
      };
    });
    found.set(table, {
      name,
      columns,
      promised: promise,
      ownColumns:
        promise === null
          ? []
          : columns.map((column) => column.name).filter((column) => !Object.hasOwn(promise.columns, column)),
      key: Object.values(promise?.constraints ?? {}).flatMap(
        (rule) => /^PRIMARY KEY \((.*)\)$/.exec(rule)?.[1]?.split(', ') ?? [],
      ),
      sent: openRowSum(),
    });
  }
  return found;
}

/**
 * Makes names unique for SQLite, which ignores case in names and reserves some.
 * @param taken names that are in use
 */
function namesApart(taken: readonly string[]): (wanted: string) => string {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  return (wanted) => {
    const free = wanted.toLowerCase().startsWith('sqlite_') ? `_${wanted}` : wanted;
    let name = free;
    for (let number = 2; used.has(name.toLowerCase()); number++) name = `${free}_${number}`;
    used.add(name.toLowerCase());
    return name;
  };
}

/**
 * The tables with their constraints, as far as the dump has the columns. What is missing is added later, as for any
 * database.
 */
function schemaOf(tables: Iterable<TableToFill>): readonly string[] {
  return [...tables].flatMap((table) => {
    const { name, columns } = table;
    if (table.promised === null) {
      const plain = columns.map((column) => `${quoteName(column.name)} ${plainType(column.type)}`);
      return [`CREATE TABLE ${quoteName(name)} (${plain.join(', ')})`];
    }
    const { create, indexes } = renderTable(name, presentPart(table, table.promised), 'sqlite');
    const own = columns.filter((column) => table.ownColumns.includes(column.name));
    const added = own.map(
      (column) => `ALTER TABLE ${quoteName(name)} ADD COLUMN ${quoteName(column.name)} ${plainType(column.type)}`,
    );
    return [...create, ...added, ...indexes.filter(isUnique)];
  });
}

/** Indexes that are not unique are made last, which is fastest. */
function plainIndexesOf(tables: Iterable<TableToFill>): readonly string[] {
  return [...tables].flatMap((table) =>
    table.promised === null
      ? []
      : renderTable(table.name, presentPart(table, table.promised), 'sqlite').indexes.filter(
          (index) => !isUnique(index),
        ),
  );
}

const isUnique = (index: string): boolean => index.startsWith('CREATE UNIQUE ');

function presentPart({ name, columns }: TableToFill, promised: Table): Table {
  const present = new Set(columns.map((column) => column.name));
  const holds = (definition: string): boolean =>
    [...namesIn(tokenize(definition))].every((word) => present.has(word) || !Object.hasOwn(promised.columns, word));
  const constraints = Object.entries(promised.constraints).map(([constraint, definition]): [string, string] => {
    const standIn = acceptedAlternative(name, constraintEffect(definition));
    const isThere = standIn !== null && parseRule(standIn).columns.every((column) => present.has(column));
    return isThere ? [standIn, standIn] : [constraint, definition];
  });
  const only = <Part>(parts: Readonly<Record<string, Part>>, wanted: (of: string, part: Part) => boolean) =>
    Object.fromEntries(Object.entries(parts).filter(([of, part]) => wanted(of, part)));
  return {
    columns: only(promised.columns, (column) => present.has(column)),
    constraints: only(Object.fromEntries(constraints), (_, definition) => holds(definition)),
    indexes: only(promised.indexes, (_, { definition }) => holds(definition)),
  };
}

/** A type of SQLite that keeps the values of an owner's column unchanged. */
function plainType(type: string): string {
  if (/^(?:smallint|integer|bigint)$/.test(type)) return 'INTEGER';
  if (type === 'boolean') return 'BOOLEAN';
  if (type === 'double precision' || type === 'real') return 'FLOAT';
  return type === 'bytea' ? 'BLOB' : 'TEXT';
}

/** Sets aside rows that refer to a row that was set aside, until none is left. */
function setFollowersAside(file: string, tables: Iterable<TableToFill>, ledger: MisfitLedger, prefix: string): void {
  const all = [...tables];
  const writer = openWriter(file);
  try {
    for (let moved = 1; moved > 0;) {
      moved = 0;
      for (const table of all) moved += moveFollowers(table, { writer, ledger, aside: prefix });
    }
    writer.commit();
  } finally {
    writer.close();
  }
}

function moveFollowers({ name, columns, key, promised }: TableToFill, { writer, ledger, aside }: Taking): number {
  const names = columns.map((column) => column.name);
  const into = `${aside}_${name}`;
  const text = (column: string): string => `CAST(${quoteName(column)} AS TEXT)`;
  let moved = 0;
  for (const definition of Object.values(promised?.constraints ?? {})) {
    const rule = parseRule(definition);
    if (rule.kind !== 'reference' || !rule.columns.every((column) => names.includes(column))) continue;
    const held = `${aside}_${rule.target}`;
    if (!writer.holdsTable(held)) continue;
    const pairs = rule.columns.map((column, index) => [quoteName(column), quoteName(rule.targets[index] ?? 'id')]);
    const where = [
      ...pairs.map(([column]) => `t.${column} IS NOT NULL`),
      `NOT EXISTS (SELECT 1 FROM ${quoteName(rule.target)} p WHERE ${pairs.map(([column, target]) => `p.${target} = t.${column}`).join(' AND ')})`,
      `EXISTS (SELECT 1 FROM ${quoteName(held)} q WHERE ${pairs.map(([column, target]) => `q.${target} = CAST(t.${column} AS TEXT)`).join(' AND ')})`,
    ].join(' AND ');
    const from = `FROM ${quoteName(name)} AS t WHERE ${where}`;
    const found = writer.texts(`SELECT ${[...key, ...rule.columns].map(text).join(', ')} ${from}`);
    if (found.length === 0) continue;
    const kind = { table: name, columns: rule.columns, rule: 'follows', promised: definition } as const;
    const examples = found.slice(0, 3).map((row) => ({
      key: shortened(row.slice(0, key.length).join(', ')),
      value: shownValue(name, rule.columns, row.slice(key.length).join(', ')),
    }));
    ledger.add(kind, found.length, examples);
    if (!writer.holdsTable(into)) openAside(writer, into, names);
    writer.run(
      `INSERT INTO ${quoteName(into)} SELECT ${quoteText(`follows: ${definition}`)}, ${names.map(text).join(', ')} ${from};
       DELETE ${from}`,
    );
    moved += found.length;
  }
  return moved;
}

interface Taking {
  readonly writer: RowWriter;
  readonly ledger: MisfitLedger;
  /** The prefix of the tables for rows that do not fit. */
  readonly aside: string;
}

/** Why a row does not fit. */
interface Wrong {
  readonly columns: readonly string[];
  readonly rule: Misfits['rule'];
  readonly promised: string;
}

/** @returns a function that inserts a row of the dump, and returns its bytes as PostgreSQL prints it if it fits */
function takeInto(table: TableToFill, taking: Taking): (row: readonly DumpValue[]) => number | null {
  const { name, columns, sent } = table;
  const names = columns.map((column) => column.name);
  const { writer } = taking;
  const insert = writer.into(name, names);
  const refuse = refusalOf(table, taking);
  return (row) => {
    if (row.length !== columns.length) {
      throw new Error(`a row of ${name} has ${row.length} values instead of ${columns.length}`);
    }
    const wrong: Wrong[] = [];
    const values = columns.map(({ name: column, type, conversion, tally }, index): SqliteValue | null => {
      const text = row[index] ?? null;
      if (text === null) return null;
      const value = typeof text === 'string' ? conversion.toSqlite(text, tally) : new Misfit('encoding');
      if (!(value instanceof Misfit)) return value;
      wrong.push({ columns: [column], rule: value.rule, promised: type });
      return null;
    });
    const broken = wrong.length > 0 ? null : insert(values);
    if (broken !== null) {
      const about = names.filter((column) => broken.about.split(', ').includes(`${name}.${column}`));
      wrong.push({ columns: about, rule: broken.rule, promised: broken.about });
    }
    if (wrong.length > 0) {
      refuse(row, wrong);
      return null;
    }
    const line = printRow(table, values);
    sent.add(line);
    return Buffer.byteLength(line);
  };
}

/** Notes rows that do not fit, and sets them aside as text. */
function refusalOf(
  { name, columns, key }: TableToFill,
  { writer, ledger, aside }: Taking,
): (row: readonly DumpValue[], wrong: readonly Wrong[]) => void {
  const names = columns.map((column) => column.name);
  let keep: ReturnType<RowWriter['into']> | null = null;
  return (row, wrong) => {
    const texts = row.map((value) => (Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : value));
    const textsOf = (wanted: readonly string[]): string =>
      wanted.map((column) => texts[names.indexOf(column)] ?? 'NULL').join(', ');
    for (const each of wrong) {
      const { columns: about } = each;
      const kind = { ...each, table: name };
      const value = about.length === 0 ? null : shownValue(name, about, textsOf(about));
      ledger.add(kind, 1, ledger.wants(kind) ? [{ key: shortened(textsOf(key)), value }] : []);
    }
    const reasons = wrong.map(({ columns: about, rule, promised }) => `${about.join(', ')}: ${rule} (${promised})`);
    keep ??= openAside(writer, `${aside}_${name}`, names);
    keep([reasons.join('; '), ...texts]);
  };
}

function openAside(writer: RowWriter, table: string, columns: readonly string[]): ReturnType<RowWriter['into']> {
  const names = [reasonColumn, ...columns];
  writer.run(`CREATE TABLE ${quoteName(table)} (${names.map((name) => `${quoteName(name)} TEXT`).join(', ')})`);
  return writer.into(table, names);
}

/** A row of SQLite as PostgreSQL would print it. @throws Error for a value that the column's type does not have */
function printRow({ name, columns }: Pick<TableToFill, 'name' | 'columns'>, values: readonly unknown[]): string {
  const texts = columns.map(({ conversion }, index) => {
    const value = values[index] ?? null;
    if (value === null) return copyNull;
    const text = conversion.print(value);
    if (typeof text === 'string') return copyText(text);
    throw new Error(`SQLite returns of ${name} what was not written into it`);
  });
  return texts.join('\t');
}

/** The number of rows and the sum of their checksums, independent of their order. */
interface RowSum {
  add(line: string): void;
  equals(other: RowSum): boolean;
  readonly parts: readonly number[];
}

function openRowSum(): RowSum {
  let rows = 0;
  const sums = new Uint32Array(5);
  return {
    add(line) {
      rows += 1;
      const digest = hash('sha1', line, 'buffer');
      for (let part = 0; part < sums.length; part++) sums[part] = (sums[part] ?? 0) + digest.readUInt32LE(4 * part);
    },
    equals: (other) => other.parts.join() === [rows, ...sums].join(),
    get parts() {
      return [rows, ...sums];
    },
  };
}

/** Rows that are read before other work may run, so that a signal is noticed. */
const rowsAtATime = 10_000;

/** Reads back all rows. @throws Error if they differ from those of the dump */
async function compare(file: string, tables: Iterable<TableToFill>, signal: AbortSignal): Promise<void> {
  const reader = openRows(file);
  try {
    for (const table of tables) {
      const names = table.columns.map((column) => column.name);
      const returned = openRowSum();
      let read = 0;
      for (const [, ...values] of reader.rows(table.name, names, true)) {
        returned.add(printRow(table, values));
        if (++read % rowsAtATime > 0) continue;
        await setImmediate();
        signal.throwIfAborted();
      }
      if (!returned.equals(table.sent)) {
        throw new Error(`what SQLite returns of ${table.name} is not what the dump holds of it`);
      }
    }
  } finally {
    reader.close();
  }
}
