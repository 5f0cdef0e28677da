import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { PostgresTarget } from '../../config/config.ts';
import type { ConversionCounts } from '../../database/conversion/convert.ts';
import { type RowLoader, withRowLoader } from '../../database/postgres/row-loader.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { findObjectsWithoutRows } from '../../database/sqlite/check.ts';
import { openRows, type RowReader } from '../../database/sqlite/row-reader.ts';
import { hasCode } from '../../errors/error-code.ts';
import type { Catalog } from '../../model/catalog.ts';
import type { Loaded } from '../../model/transfer.ts';
import { renderSections } from '../../migration/baseline.ts';
import { sequenceOf } from '../../migration/schema-builder/catalog-sql.ts';
import { stampLedger } from '../../migration/ledger.ts';
import { releaseGraph } from '../../migration/revisions.ts';
import { writeLabel } from '../../quarantine/label.ts';
import { quarantineNameOfRestore, timeInQuarantineName } from '../../quarantine/names.ts';
import { quarantineMessages } from '../../report/quarantine-messages.ts';
import type { Session } from '../../database/session.ts';
import { loadHead } from '../../schema/expected-schema.ts';
import { reasonColumn } from '../../quarantine/rows.ts';
import { archiveRejected } from '../../archive/archive-error.ts';
import { recordMisfit, rowConverter, type ValueMisfit } from './copy-lines.ts';
import { findUnfitNames } from './postgres-names.ts';
import { type CopyAtHead, copyAtHead } from './sqlite-copy.ts';
import type { Database } from '../../database/database.ts';
import { upgradeAndVerify, withConnection, withoutManifest } from '../load-and-verify.ts';
import { displayNameOf } from '../../database/target-name.ts';
import { describeLeftOut, describeLoaded } from '../../report/sqlite-transfer.ts';
import type { RestoreContext, RestoreSource } from '../target.ts';
import { stepFailed } from '../failures.ts';
import {
  type LoadOptions,
  openMisfitCounts,
  type MisfitCounts,
  rowsDoNotFit,
  type AsideTables,
  constraintRulesOf,
  setViolatorsAside,
} from './set-aside.ts';
import { type TableToLoad, tablesToLoad, ownerTableStatements, extrasOf } from './table-mapping.ts';
import { labelOfMisfits } from '../../report/sqlite-transfer.ts';
import { restoreReasons } from '../../report/restore-reasons.ts';

/** The target of the rows. */
export interface PostgresLoad extends LoadOptions, EmptyPlace {
  /** The name of the schema for rows that do not fit. */
  readonly quarantine: string;
  /** A private temporary folder. */
  readonly folder: string;
}

/**
 * Makes the schema of the head in an empty PostgreSQL database and fills it with the rows of a SQLite database, all in
 * one transaction. Each table is read back and compared with what was sent, before any constraint is made.
 * @throws Failure `restore-refused` (`rows-do-not-fit`); Error if the rows that are read back differ
 */
export async function loadRows({ file, facts }: CopyAtHead, loading: PostgresLoad): Promise<Loaded> {
  const started = performance.now();
  const { target, role, signal, folder, quarantine } = loading;
  const head = await loadHead('postgresql');
  const reason = findUnfitNames(head, facts.catalog);
  if (reason !== null) throw archiveRejected(loading.archive, { kind: 'unusable', reason });
  const reader = openRows(file);
  try {
    return await withRowLoader(target, { role, signal }, async (loader) => {
      const { session } = loader;
      const tables = tablesToLoad(head, facts.catalog, reader);
      const sections = renderSections(head);
      await session.run([...loading.before, ...sections.preData, ...ownerTableStatements(head, tables)].join(';\n'));
      const misfitCounts = openMisfitCounts();
      const spools = new Map<string, string>();
      const conversions: Loaded['conversions'][number][] = [];
      let [rows, bytes] = [0, 0];
      for (const table of tables.filter(({ name }) => reader.holdsRows(name))) {
        const spool = join(folder, `misfits-${spools.size}`);
        const done = await loadTable(table, { reader, loader, misfitCounts, spool });
        if (done.spooled) spools.set(table.name, spool);
        rows += done.rows;
        bytes += done.bytes;
        conversions.push(...done.conversions);
      }
      await stampLedger(session, releaseGraph, false, releaseGraph.heads);
      await session.run(sequenceStatements(head, reader).join(';'));
      await labelPlaces(session, tables, reader);
      const aside = await createConstraints(sections.postData, {
        head,
        tables,
        loader,
        misfitCounts,
        spools,
        quarantine,
      });
      if (aside && !loading.setAside) {
        throw rowsDoNotFit('postgresql', misfitCounts.found, loading);
      }
      return {
        engine: 'postgresql',
        tables: tables.length,
        rows,
        bytes,
        seconds: (performance.now() - started) / 1000,
        conversions,
        extras: extrasOf(head, tables),
        aside: aside ? { quarantine, misfits: misfitCounts.found } : null,
      };
    });
  } finally {
    reader.close();
  }
}

/** Rows are sent in pieces of about this many characters. */
const pieceLength = 32 * 1024;

interface TableLoad {
  readonly reader: RowReader;
  readonly loader: RowLoader;
  readonly misfitCounts: MisfitCounts;
  /** The file of the rows that do not fit: lines of COPY, with the reason in the first column. */
  readonly spool: string;
}

interface LoadedTable {
  readonly rows: number;
  readonly bytes: number;
  readonly conversions: Loaded['conversions'];
  readonly spooled: boolean;
}

/** Loads a table and reads it back. @throws Error if the rows differ */
async function loadTable(table: TableToLoad, { reader, loader, misfitCounts, spool }: TableLoad): Promise<LoadedTable> {
  const { name, relation, columns } = table;
  const names = columns.map((column) => column.name);
  const sent = createHash('sha256');
  const tallies: readonly ConversionCounts[] = columns.map(() => new Map());
  const convert = rowConverter(table, tallies, reader);
  let [rows, refused, bytes] = [0, 0, 0];
  let spoolFile: number | null = null;
  const refuse = (row: readonly unknown[], wrong: readonly ValueMisfit[]): void => {
    spoolFile ??= openSync(spool, 'wx', 0o600);
    refused += 1;
    writeSync(spoolFile, recordMisfit(table, row, wrong, { reader, misfitCounts }));
  };
  function* encode(): Generator<Buffer, void, undefined> {
    let piece = '';
    const take = (): Buffer => {
      const buffer = Buffer.from(piece);
      piece = '';
      bytes += buffer.length;
      sent.update(buffer);
      return buffer;
    };
    for (const row of reader.rows(name, names, table.exact)) {
      const line = convert(row);
      if (typeof line !== 'string') {
        refuse(row, line);
        continue;
      }
      piece += line;
      rows += 1;
      if (piece.length > pieceLength) yield take();
    }
    if (piece !== '') yield take();
  }
  try {
    // the table was made in this transaction, so its rows are read in the order in which they were inserted
    await loader.copyIn(relation, names, Readable.from(encode(), { objectMode: false }), '(FREEZE)');
  } finally {
    if (spoolFile !== null) closeSync(spoolFile);
  }
  if (reader.countedRows(name) !== rows + refused) {
    throw new Error(restoreReasons.indexContradictsTable(name));
  }
  const returned = createHash('sha256');
  await loader.copyOut(relation, names, (buffer) => void returned.update(buffer));
  if (returned.digest('hex') !== sent.digest('hex')) {
    throw new Error(restoreReasons.notAsWritten('PostgreSQL', name));
  }
  const conversions = columns.flatMap((column, index) =>
    [...(tallies[index] ?? [])].map(([conversion, values]) => ({
      column: `${name}.${column.name}`,
      conversion,
      values,
    })),
  );
  return { rows, bytes, conversions, spooled: spoolFile !== null };
}

/** Labels the quarantine schemas that were made of tables of the file. */
async function labelPlaces(session: Session, tables: readonly TableToLoad[], reader: RowReader): Promise<void> {
  for (const quarantine of new Set(tables.flatMap((table) => table.quarantine ?? []))) {
    const held = tables.filter((table) => table.quarantine === quarantine);
    await writeLabel(session, {
      name: quarantine,
      label: {
        by: 'db-init',
        state: 'complete',
        at: timeInQuarantineName(quarantine),
        why: quarantineMessages.rowsInFile,
        relations: held.length,
        rows: held.reduce((sum, { name }) => sum + reader.countedRows(name), 0),
        holds: 'rows',
      },
    });
  }
}

/** Sequences continue after the highest number that was ever used, also by rows that are set aside. */
function sequenceStatements(head: Catalog, reader: RowReader): readonly string[] {
  return Object.entries(head.tables).flatMap(([name, { columns }]) =>
    Object.entries(columns).flatMap(([column, { default: expression }]) => {
      const sequence = sequenceOf(expression);
      const last = sequence === null ? null : reader.lastNumber(name, column);
      return last === null ? [] : [`SELECT setval('${sequence}', ${last})`];
    }),
  );
}

interface ConstraintStep {
  readonly head: Catalog;
  readonly tables: readonly TableToLoad[];
  readonly loader: RowLoader;
  readonly misfitCounts: MisfitCounts;
  /** The files of the rows that do not fit, by table. */
  readonly spools: ReadonlyMap<string, string>;
  readonly quarantine: string;
}

/** Constraint violations (PostgreSQL manual, "Error Codes", class 23). */
const violations = ['23502', '23503', '23505', '23514'];

/**
 * Creates keys, checks, indexes and foreign keys. First sets aside all rows that violate one.
 * @returns whether anything was set aside
 */
async function createConstraints(statements: readonly string[], step: ConstraintStep): Promise<boolean> {
  const { head, tables, loader, misfitCounts, spools, quarantine } = step;
  const { session } = loader;
  const createAll = (): Promise<void> => session.run(statements.join(';\n'));
  if (spools.size === 0) {
    await session.run('SAVEPOINT rules');
    try {
      await createAll();
      return false;
    } catch (error) {
      if (!hasCode(error, ...violations)) throw error;
      await session.run('ROLLBACK TO SAVEPOINT rules');
    }
  }
  const columnsOf = (table: string): readonly string[] =>
    tables.find(({ name }) => name === table)?.columns.map((column) => column.name) ?? [];
  const held = new Set<string>();
  const schema = quoteName(quarantine);
  const aside: AsideTables = {
    schema,
    holds: (table) => held.has(table),
    async open(table) {
      if (held.has(table)) return;
      held.add(table);
      const columns = columnsOf(table).map((column) => `${quoteName(column)} text`);
      await session.run(
        `CREATE TABLE ${schema}.${quoteName(table)} (${[`${reasonColumn} text`, ...columns].join(', ')})`,
      );
    },
  };
  await session.run(`CREATE SCHEMA ${schema}`);
  for (const [table, spool] of spools) {
    await aside.open(table);
    const columns = [reasonColumn, ...columnsOf(table)];
    await loader.copyIn(`${schema}.${quoteName(table)}`, columns, createReadStream(spool));
  }
  const keys = (table: string): readonly string[] => tables.find(({ name }) => name === table)?.key ?? [];
  await setViolatorsAside(session, constraintRulesOf(head), { aside, misfitCounts, columns: columnsOf, keys });
  await createAll();
  const rows = misfitCounts.found.reduce((sum, misfits) => sum + misfits.rows, 0);
  const at = `${new Date().toISOString().slice(0, 19)}Z`;
  const why = labelOfMisfits;
  await writeLabel(session, {
    name: quarantine,
    label: { by: 'db-init', state: 'complete', at, why, relations: held.size, rows, holds: 'rows' },
  });
  return true;
}

/** An empty database or schema for the rows. */
export interface EmptyPlace {
  readonly target: PostgresTarget;
  /** SQL that is run first, in the transaction of the load. */
  readonly before: readonly string[];
  /** The owner of all objects; null for the connected role. */
  readonly role: string | null;
}

/**
 * Prepares a database or a schema from the rows of a SQLite database: loads them, migrates and verifies the result,
 * and logs what was loaded and converted. It runs no SQL of the archive.
 * @param incoming the restore's name for the result
 * @param makePlace makes the empty place; called after the archive was found usable
 * @throws Failure `archive-rejected`, `restore-refused`
 */
export async function prepareFromSqlite(
  source: RestoreSource,
  incoming: string,
  live: Pick<Database, 'name'>,
  context: RestoreContext,
  makePlace: () => Promise<EmptyPlace>,
): Promise<void> {
  const copy = await copyAtHead(source, live.name, context);
  const place = await makePlace();
  await loadCopy(copy, place, incoming, source, context);
  await withConnection(place.target, context, (database) =>
    upgradeAndVerify(database, withoutManifest(source), context),
  );
}

/** @throws Failure `restore-refused` */
async function loadCopy(
  copy: CopyAtHead,
  place: EmptyPlace,
  incoming: string,
  { archive, folder }: RestoreSource,
  { config, log, signal, setAside = false }: RestoreContext,
): Promise<void> {
  const options = { database: displayNameOf(config.database), archive: archive.file, setAside, folder, signal };
  for (const sentence of describeLeftOut('postgresql', findObjectsWithoutRows(copy.file))) log.warn(sentence);
  try {
    const loaded = await loadRows(copy, { ...place, ...options, quarantine: quarantineNameOfRestore(incoming) });
    for (const { level, sentence } of describeLoaded(loaded)) log[level](sentence);
  } catch (error) {
    signal.throwIfAborted();
    throw stepFailed('load-sqlite-rows', error, config);
  }
}
