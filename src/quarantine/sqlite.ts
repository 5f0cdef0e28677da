import { syncToDisk } from '../platform/durable-file.ts';
import {
  type Quarantine,
  type QuarantineContext,
  type QuarantineStep,
  type EntryObject,
  type QuarantineEntry,
  pickEntry,
} from './entry.ts';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { countRelations, withExclusiveFile } from '../database/sqlite/exclusive.ts';
import { markOf, sizeOf } from '../database/sqlite/wal-files.ts';
import { Failure } from '../errors/failure.ts';
import type { QuarantineObstacle } from '../errors/obstacles.ts';
import { commandsFor } from '../report/commands.ts';
import { announceWayBack, quarantineMessages } from '../report/quarantine-messages.ts';
import { timeInName } from '../platform/local-time.ts';
import { number, only } from '../database/row-values.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { loadHead } from '../schema/expected-schema.ts';
import { bringBackHeldRows } from './rows.ts';
import { parseAsideTable, timeInQuarantineName } from './names.ts';
import { bringBackIntoFile } from './sqlite-rows.ts';

/** The side files of a SQLite database. They belong to the file: one without the other may damage it. */
const sides = ['-wal', '-shm', '-journal'];

/**
 * Quarantine on SQLite: renames the file to `<file>.quarantine_<UTC time>`, with its side files.
 *
 * The file itself is renamed last. After an interruption there are side files without their file, and the next run
 * continues there, in the direction of its command.
 */
export function sqliteQuarantine(context: QuarantineContext, file: string): Quarantine {
  const { database, config, log, consent } = context;
  const folder = dirname(file);
  const change = (kind: QuarantineStep, name: string, path: string, work: () => void): void =>
    changeExclusively(context, path, { kind, schema: name, relations: [basename(file)] }, work);

  return {
    list: async () => [...setAsideIn(file), ...entriesOf(file).map((name) => describe(folder, name))],

    async create() {
      await database.close();
      if (!existsSync(file)) return log.info(quarantineMessages.noFile(file));
      const name = unfinishedOf(file) ?? quarantineNameOf(file, new Date());
      const held = describe(folder, basename(file));
      await consent(quarantineMessages.moveFileConsent(file, name, held));
      change('quarantine', name, file, () => moveFiles(file, join(folder, name)));
      log.info(quarantineMessages.movedFile(file, name, held), { quarantine: name });
      announceWayBack(name, commandsFor(config), log);
    },

    async restore(wanted, dryRun) {
      const name = pickName(file, wanted, database.name);
      if (holdsRows(file, name)) return restoreRows(context, name, dryRun);
      const path = join(folder, name);
      await database.close();
      const names = namesTaken(path, file);
      if (names.length > 0) refuse(database.name, { kind: 'names-taken', name, names });
      if (dryRun) return log.info(quarantineMessages.wouldBringFileBack(describe(folder, name)));
      change('quarantine-restored', name, path, () => moveFiles(path, file));
      log.info(quarantineMessages.fileBack(file));
    },

    async purge(wanted) {
      const name = pickName(file, wanted, database.name);
      if (holdsRows(file, name)) return purgeRows(context, file, name);
      const path = join(folder, name);
      const shown = markOf(path);
      await consent(quarantineMessages.purgeConsent(describe(folder, name), name));
      if (markOf(path) !== shown) refuse(database.name, { kind: 'changed', name, changed: [name] });
      change('quarantine-purged', name, path, () => deleteFiles(path));
      log.info(quarantineMessages.gone(name));
    },
  };
}

function refuse(database: string, obstacle: QuarantineObstacle): never {
  throw new Failure({ kind: 'quarantine-refused', database, obstacle });
}

/**
 * Does the work while no other program uses the file `path`, and records the step. Close the database before: our own
 * connection would count as another user of the file.
 */
function changeExclusively(
  { database, recorder }: QuarantineContext,
  path: string,
  step: { readonly kind: QuarantineStep; readonly schema: string; readonly relations: readonly string[] },
  work: () => void,
): void {
  const done = (): void => {
    work();
    recorder.step(step);
    recorder.committed('committed');
  };
  if (!withExclusiveFile(path, done)) refuse(database.name, { kind: 'file-in-use', file: path });
  syncToDisk(dirname(path));
}

async function restoreRows(context: QuarantineContext, name: string, dryRun: boolean): Promise<void> {
  const onServer = await loadHead('postgresql');
  return bringBackHeldRows(context, name, dryRun, (session) => bringBackIntoFile(session, name, onServer));
}

async function purgeRows(
  { database, log, recorder, consent }: QuarantineContext,
  file: string,
  name: string,
): Promise<void> {
  const shown = pickEntry(setAsideIn(file), name, database.name);
  await consent(quarantineMessages.purgeConsent(shown, name));
  await database.transaction(async (session) => {
    recorder.attempt();
    for (const { name: table, rows } of shown.contents) {
      const counted = await session.query(`SELECT count(*) AS rows FROM ${quoteName(table)}`);
      if (number(only(counted), 'rows') !== rows) refuse(database.name, { kind: 'changed', name, changed: [table] });
      await session.run(`DROP TABLE ${quoteName(table)}`);
    }
    recorder.step({ kind: 'quarantine-purged', schema: name, relations: shown.contents.map((each) => each.name) });
  });
  log.info(quarantineMessages.gone(name));
}

/** Whether the quarantine consists of rows in the file, and not of a file of its own. */
function holdsRows(file: string, name: string): boolean {
  return setAsideIn(file).some((entry) => entry.name === name);
}

/** All quarantines of a file, the latest first. An interrupted one may have side files only. */
function entriesOf(file: string): readonly string[] {
  const prefix = `${basename(file)}.quarantine_`;
  const names = readdirSync(dirname(file))
    .filter(
      (name) => name.startsWith(prefix) && /^\d{8}t\d{6}(_\d+)?(-wal|-shm|-journal)?$/.test(name.slice(prefix.length)),
    )
    .map((name) => name.replace(/-\w+$/, ''));
  return [...new Set(names)].toSorted().toReversed();
}

function pickName(file: string, wanted: string, database: string): string {
  return pickEntry([...setAsideIn(file), ...entriesOf(file).map((name) => ({ name }))], wanted, database).name;
}

function unfinishedOf(file: string): string | undefined {
  return entriesOf(file).find((name) => !existsSync(join(dirname(file), name)));
}

/** A free name: the time, and a number if another quarantine has the same second. */
function quarantineNameOf(file: string, now: Date): string {
  const name = `${basename(file)}.quarantine_${timeInName(now, 't')}`;
  const taken = entriesOf(file);
  let attempt = 1;
  const numbered = (): string => (attempt === 1 ? name : `${name}_${attempt}`);
  while (taken.includes(numbered())) attempt++;
  return numbered();
}

/** The names that `from` needs for itself and its side files beside `to`, and that exist already. */
function namesTaken(from: string, to: string): readonly string[] {
  return ['', ...sides]
    .filter((side) => existsSync(to + side) && (side === '' || existsSync(from + side)))
    .map((side) => basename(to) + side);
}

function moveFiles(from: string, to: string): void {
  for (const side of sides) {
    if (sizeOf(from + side) > 0) renameSync(from + side, to + side);
    // our own connection has just made an empty file
    else rmSync(from + side, { force: true });
  }
  renameSync(from, to);
}

/** Deletes the file last: while it exists, an interrupted purge can be repeated. */
function deleteFiles(path: string): void {
  for (const side of [...sides, '']) rmSync(path + side, { force: true });
}

function describe(folder: string, name: string): QuarantineEntry {
  const path = join(folder, name);
  const counted = existsSync(path) ? countRelations(path) : null;
  return {
    name,
    since: timeInQuarantineName(name),
    state: existsSync(path) ? 'complete' : 'unfinished',
    why: 'by hand: the whole file',
    relations: counted?.length ?? null,
    rows: counted?.reduce((total, { rows }) => total + (rows ?? 0), 0) ?? null,
    counted: true,
    bytes: ['', ...sides].reduce((total, side) => total + sizeOf(path + side), 0),
    contents: (counted ?? []).map((relation) => ({ ...relation, bytes: null })),
  };
}

/** Rows of PostgreSQL archives that restores have set aside in the file: tables `tt_quarantine_<time>_<table>`. */
function setAsideIn(file: string): readonly QuarantineEntry[] {
  const found = new Map<string, EntryObject[]>();
  for (const relation of countRelations(file) ?? []) {
    const held = parseAsideTable(relation.name);
    if (held !== null && relation.kind === 'table') {
      found.set(held.quarantine, [...(found.get(held.quarantine) ?? []), { ...relation, bytes: null }]);
    }
  }
  return [...found]
    .toSorted(([one], [other]) => other.localeCompare(one))
    .map(([name, contents]) => ({
      name,
      since: timeInQuarantineName(name),
      state: 'complete',
      why: quarantineMessages.rowsInFile,
      relations: contents.length,
      rows: contents.reduce((total, { rows }) => total + (rows ?? 0), 0),
      counted: true,
      bytes: 0,
      contents,
    }));
}
