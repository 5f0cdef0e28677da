import { hash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { SqliteValue } from '../../database/conversion/to-sqlite.ts';
import { copyNull, copyText, Misfit } from '../../database/conversion/convert.ts';
import { openDumpReader } from '../../database/postgres/dump/row-reader.ts';
import { openRows } from '../../database/sqlite/row-reader.ts';
import { openWriter, type RowWriter } from '../../database/sqlite/row-writer.ts';
import type { ArchiveObject } from '../../errors/obstacles.ts';
import type { Loaded, Misfits } from '../../model/transfer.ts';
import { widthAtHead } from '../../migration/ledger.ts';
import { createVersionTable } from '../../migration/version-column.ts';
import { syncToDisk } from '../../platform/durable-file.ts';
import { versionTable } from '../../schema/catalog.ts';
import { rm } from 'node:fs/promises';
import { displayNameOf } from '../../database/target-name.ts';
import { describeLeftOut, describeLoaded } from '../../report/sqlite-transfer.ts';
import { compareWithManifest, requireKnownRevisions, unpackDump } from '../load-and-verify.ts';
import type { RestoreContext, RestoreSource } from '../target.ts';
import { archiveUnusable, dumpRejected, stepFailed } from '../failures.ts';
import {
  type LoadOptions,
  openMisfitCounts,
  rowsDoNotFit,
  shortened,
  shownValue,
  setReferringRowsAside,
  type InsertContext,
  createAsideTable,
} from './set-aside.ts';
import { type TableToFill, expectedCatalog, tablesToFill, createStatements, indexStatements } from './table-mapping.ts';
import { requireCopySpace } from '../free-space.ts';
import type { DumpReader, DumpValue } from '../../database/postgres/dump/row-reader.ts';
import { quoteText } from '../../platform/sql-quoting.ts';
import { asideTableName, parseAsideTable, quarantineNameOfRestore } from '../../quarantine/names.ts';
import { restoreReasons } from '../../report/restore-reasons.ts';

/** The target of the rows of a dump. */
export interface SqliteLoad extends LoadOptions {
  /** The path of the new file. */
  readonly file: string;
  /** The revisions of the dump. */
  readonly revisions: readonly string[];
  /** The prefix of the tables for rows that do not fit. */
  readonly aside: string;
}

/**
 * Makes the schema of the dump's revision in a new SQLite file, as far as the dump has it, and fills it with the rows
 * of the dump. Then reads back every row and compares it with the dump.
 * @throws Failure `restore-refused` (`rows-do-not-fit`); Error if the rows that are read back differ
 */
export async function loadDump(dump: DumpReader, loading: SqliteLoad): Promise<Loaded> {
  const started = performance.now();
  const { file, revisions } = loading;
  const expected = await expectedCatalog(revisions, 'sqlite');
  const tables = tablesToFill(dump, expected, await expectedCatalog(revisions, 'postgresql'));
  const writer = openWriter(file);
  const sent = new Map<TableToFill, RowSum>();
  const totals = { rows: 0, bytes: 0 };
  const misfitCounts = openMisfitCounts();
  try {
    chmodSync(file, 0o600);
    for (const statement of createStatements(tables.values())) writer.run(statement);
    writer.run(createVersionTable(widthAtHead('sqlite')));
    for (const revision of revisions) {
      writer.run(`INSERT INTO ${versionTable} (version_num) VALUES (${quoteText(revision)})`);
    }
    const takers = new Map(
      [...tables].map(([table, into]) => {
        const sum = openRowSum();
        sent.set(into, sum);
        return [table, rowInserter(into, sum, { writer, misfitCounts, aside: loading.aside })];
      }),
    );
    await dump.read((table, row) => {
      const bytes = takers.get(table)?.(row) ?? null;
      if (bytes === null) return;
      totals.rows += 1;
      totals.bytes += bytes;
    });
    if (misfitCounts.found.length > 0 && !loading.setAside) {
      throw rowsDoNotFit('sqlite', misfitCounts.found, loading);
    }
    for (const statement of indexStatements(tables.values())) writer.run(statement);
    writer.commit();
  } finally {
    writer.close();
  }
  await compareWithDump(file, sent, loading.signal);
  if (misfitCounts.found.length > 0) setReferringRowsAside(file, tables.values(), misfitCounts, loading.aside);
  syncToDisk(file);
  const all = [...tables.values()];
  return {
    engine: 'sqlite',
    tables: all.length,
    ...totals,
    seconds: (performance.now() - started) / 1000,
    conversions: all.flatMap(({ name, columns }) =>
      columns.flatMap((column) =>
        [...column.counts].map(([conversion, values]) => ({ column: `${name}.${column.name}`, conversion, values })),
      ),
    ),
    extras: {
      tables: all
        .filter(({ name, expected: known }) => known === null && parseAsideTable(name) === null)
        .map(({ name }) => name),
      columns: all.flatMap(({ name, ownColumns }) => ownColumns.map((column) => `${name}.${column}`)),
    },
    aside: misfitCounts.found.length > 0 ? { quarantine: loading.aside, misfits: misfitCounts.found } : null,
  };
}

/** Why a row does not fit. */
interface RowMisfit {
  readonly columns: readonly string[];
  readonly rule: Misfits['rule'];
  readonly expected: string;
}

/** @returns a function that inserts a row of the dump, and returns its bytes as PostgreSQL prints it if it fits */
function rowInserter(
  table: TableToFill,
  sent: RowSum,
  taking: InsertContext,
): (row: readonly DumpValue[]) => number | null {
  const { name, columns } = table;
  const names = columns.map((column) => column.name);
  const { writer } = taking;
  const insert = writer.into(name, names);
  const refuse = misfitRecorder(table, taking);
  return (row) => {
    if (row.length !== columns.length) {
      throw new Error(restoreReasons.wrongRowLength(name, row.length, columns.length));
    }
    const wrong: RowMisfit[] = [];
    const values = columns.map(({ name: column, type, conversion, counts }, index): SqliteValue | null => {
      const text = row[index] ?? null;
      if (text === null) return null;
      const value = typeof text === 'string' ? conversion.toSqlite(text, counts) : new Misfit('encoding');
      if (!(value instanceof Misfit)) return value;
      wrong.push({ columns: [column], rule: value.rule, expected: type });
      return null;
    });
    const broken = wrong.length > 0 ? null : insert(values);
    if (broken !== null) {
      const about = names.filter((column) => broken.about.split(', ').includes(`${name}.${column}`));
      wrong.push({ columns: about, rule: broken.rule, expected: broken.about });
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
function misfitRecorder(
  { name, columns, key }: TableToFill,
  { writer, misfitCounts, aside }: InsertContext,
): (row: readonly DumpValue[], wrong: readonly RowMisfit[]) => void {
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
      misfitCounts.add(kind, 1, misfitCounts.wants(kind) ? [{ key: shortened(textsOf(key)), value }] : []);
    }
    const reasons = wrong.map(({ columns: about, rule, expected }) => `${about.join(', ')}: ${rule} (${expected})`);
    keep ??= createAsideTable(writer, asideTableName(aside, name), names);
    keep([reasons.join('; '), ...texts]);
  };
}

/** A row of SQLite as PostgreSQL would print it. @throws Error for a value that the column's type does not have */
function printRow({ name, columns }: Pick<TableToFill, 'name' | 'columns'>, values: readonly unknown[]): string {
  const texts = columns.map(({ conversion }, index) => {
    const value = values[index] ?? null;
    if (value === null) return copyNull;
    const text = conversion.print(value);
    if (typeof text === 'string') return copyText(text);
    throw new Error(restoreReasons.notAsWritten('SQLite', name));
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
async function compareWithDump(
  file: string,
  sent: ReadonlyMap<TableToFill, RowSum>,
  signal: AbortSignal,
): Promise<void> {
  const reader = openRows(file);
  try {
    for (const [table, sum] of sent) {
      const names = table.columns.map((column) => column.name);
      const returned = openRowSum();
      let read = 0;
      for (const [, ...values] of reader.rows(table.name, names, true)) {
        returned.add(printRow(table, values));
        if (++read % rowsAtATime > 0) continue;
        await setImmediate();
        signal.throwIfAborted();
      }
      if (!returned.equals(sum)) {
        throw new Error(restoreReasons.notAsWritten('SQLite', table.name));
      }
    }
  } finally {
    reader.close();
  }
}

/**
 * Fills a new SQLite file with the rows of a PostgreSQL archive. Our own migrations make the schema of the archive's
 * revision. Only rows are read from the dump, and nothing in it is run.
 * @throws Failure `archive-rejected`, `restore-refused`
 */
export async function loadIntoSqlite(source: RestoreSource, file: string, context: RestoreContext): Promise<void> {
  const { config, log, signal, trusted, setAside = false } = context;
  const { archive } = source;
  const dump = await unpackDump(source, context);
  const maxBytes = config.archiveLimits.bytes;
  const found = await openDumpReader(dump, { trusted, maxBytes, signal });
  if (found.kind !== 'ready') throw dumpRejected(found, source, config);
  const { reader } = found;
  for (const warning of reader.warnings) log.warn(`${warning}.`);
  const revisions = reader.revisions ?? [];
  if (revisions.length === 0) {
    throw archiveUnusable(source, { kind: 'no-revision' });
  }
  requireKnownRevisions(revisions, source);
  if (archive.manifest !== null) {
    const ours = reader.tables.filter(({ schema }) => schema === reader.schema);
    const rows = Object.fromEntries(ours.map((table) => [table.name, table.rows]));
    compareWithManifest({ rows, revisions: revisions.toSorted(), settings: {} }, archive.manifest, source);
  }
  requireCopySpace(reader.bytes, dirname(file), displayNameOf(config.database));
  // the rows of a table are read, also if its definition was not understood
  const isRead = ({ type, name }: ArchiveObject): boolean =>
    type === 'TABLE' && reader.tables.some((table) => table.name === name);
  for (const sentence of describeLeftOut(
    'sqlite',
    reader.unknownObjects.filter((object) => !isRead(object)),
  ))
    log.warn(sentence);
  try {
    const loading = {
      file,
      revisions,
      aside: quarantineNameOfRestore(file),
      setAside,
      database: displayNameOf(config.database),
    };
    const loaded = await loadDump(reader, { ...loading, archive: archive.file, signal });
    for (const { level, sentence } of describeLoaded(loaded)) log[level](sentence);
  } catch (error) {
    signal.throwIfAborted();
    throw stepFailed('load-postgresql-rows', error, config);
  }
  await rm(dump, { force: true });
}
