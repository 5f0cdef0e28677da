import type { Session } from '../../database/session.ts';
import { codeOf } from '../../errors/error-code.ts';
import { StatementError } from './steps.ts';
import { text } from './inventory.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { unaskedDifferences, tableFacts } from './table-facts.ts';
import {
  changeTable,
  parseTable,
  renderTable,
  type TableChange,
  type TableText,
  withoutConstraints,
} from './table-text.ts';

/** The stored statement of a table, and its name as it was created. @throws Error if there is no such table */
export async function storedTable(session: Session, table: string): Promise<{ name: string; definition: TableText }> {
  const sql = `SELECT name, sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower($1)`;
  const [row] = await session.query(sql, [table]);
  if (row === undefined) throw new Error(`There is no table ${table}.`);
  return { name: text(row, 'name'), definition: parseTable(text(row, 'sql')) };
}

/**
 * Changes a table. A change that ALTER TABLE does not support is made by a rebuild: a new table is created from the
 * stored statement with the change, the rows are copied with their rowids, and it replaces the old table, with its
 * indexes, triggers and position in sqlite_sequence (https://sqlite.org/lang_altertable.html#otheralter, steps 3 to
 * 9).
 *
 * Nothing happens if the table has the change already. If rows violate a constraint, a `lenient` rebuild leaves out all
 * constraints of the table. It runs in the caller's transaction, which must be rolled back if it throws.
 * @throws Error if the pragmas would let the rebuild change other tables, if rows violate a constraint, or if more than
 *   the requested change differs afterwards
 */
export async function rebuildTable(
  session: Session,
  table: string,
  change: TableChange,
  { lenient = false }: { readonly lenient?: boolean } = {},
): Promise<void> {
  const { name, definition } = await storedTable(session, table);
  const changed = changeTable(definition, change);
  if (renderTable(name, changed) === renderTable(name, definition)) return;
  if (await alterInPlace(session, name, change)) return;
  await requireSafePragmas(session);

  const before = await tableFacts(session, name);
  if (!(await exchange(session, name, changed, lenient))) return;
  const wrong = unaskedDifferences(before, await tableFacts(session, name), change);
  if (wrong.length > 0)
    throw new Error(`Rebuilding ${name} (${change.kind}) changed more than that: ${wrong.join('; ')}`);
}

/**
 * Changes the table by ALTER TABLE, which copies no rows; SQLite 3.53 supports more forms of it than earlier versions.
 * @returns false if SQLite does not support the form, or if rows violate the constraint: the rebuild then reports
 *   them, or leaves the constraint out
 */
async function alterInPlace(session: Session, table: string, change: TableChange): Promise<boolean> {
  const action = nativeAction(change);
  if (action === null) return false;
  try {
    await session.run(`ALTER TABLE ${quoteName(table)} ${action}`);
    return true;
  } catch (error) {
    const code = codeOf(error instanceof StatementError ? error.cause : error);
    if (code === 'SQLITE_ERROR' || code?.startsWith('SQLITE_CONSTRAINT') === true) return false;
    throw error;
  }
}

/** The action after `ALTER TABLE name` (https://sqlite.org/lang_altertable.html); null if a rebuild is needed. */
function nativeAction(change: TableChange): string | null {
  switch (change.kind) {
    case 'setNotNull':
      return `ALTER COLUMN ${quoteName(change.column)} SET NOT NULL`;
    case 'dropNotNull':
      return `ALTER COLUMN ${quoteName(change.column)} DROP NOT NULL`;
    case 'addConstraint':
      return /^\s*CHECK\b/i.test(change.definition)
        ? `ADD CONSTRAINT ${quoteName(change.name)} ${change.definition}`
        : null;
    case 'setType':
    case 'setDefault':
    case 'dropDefault':
    case 'addColumn':
    case 'dropColumn':
    case 'dropForeignKeys':
      return null;
  }
}

/** Checks the pragmas: with foreign_keys = ON, DROP TABLE first deletes the rows and runs ON DELETE actions. */
async function requireSafePragmas(session: Session): Promise<void> {
  for (const pragma of ['foreign_keys', 'legacy_alter_table']) {
    const [row] = await session.query(`PRAGMA ${pragma}`);
    if (row?.[pragma] !== 0) throw new Error(`A table can only be rebuilt with PRAGMA ${pragma} = OFF before BEGIN.`);
  }
}

/** Replaces the table by a new one with this definition. @returns false if its constraints were left out */
async function exchange(session: Session, table: string, definition: TableText, lenient: boolean): Promise<boolean> {
  let isWhole = true;
  const temporary = table + rebuiltSuffix;
  const own = await session.query(
    `SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL ORDER BY rowid`,
    [table],
  );
  // RENAME compiles all views and triggers, and would fail at those that use the dropped table
  const watchers = await session.query(
    `SELECT type, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger') ORDER BY type = 'trigger', rowid`,
  );
  const sequence = await sequenceOf(session, table);

  for (const row of watchers.toReversed()) {
    await session.run(`DROP ${text(row, 'type')} ${quoteName(text(row, 'name'))}`);
  }
  await session.run(renderTable(temporary, definition));
  try {
    await copyRows(session, table, temporary);
  } catch (error) {
    if (!lenient || !breaksRule(error)) throw error;
    isWhole = false;
    await session.run(`DROP TABLE ${quoteName(temporary)}; ${renderTable(temporary, withoutConstraints(definition))}`);
    await copyRows(session, table, temporary);
  }
  await session.run(`DROP TABLE ${quoteName(table)}`);
  await session.run(`ALTER TABLE ${quoteName(temporary)} RENAME TO ${quoteName(table)}`);
  for (const row of [...own, ...watchers]) await session.run(text(row, 'sql'));
  if (sequence !== null) {
    await session.query('DELETE FROM sqlite_sequence WHERE name = $1', [table]);
    await session.query('INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)', [table, sequence]);
  }
  return isWhole;
}

const rebuiltSuffix = '__rebuilt';

/** Whether a table is the copy that a rebuild fills. */
export const isBeingRebuilt = (table: string): boolean => table.endsWith(rebuiltSuffix);

/** Leaves out all constraints of a table, and makes its unique indexes plain ones. */
export async function leaveOutConstraints(session: Session, table: string): Promise<void> {
  const { name, definition } = await storedTable(session, table);
  const withPlainIndexes: Session = { ...session, run: (sql) => session.run(withPlainIndex(sql)) };
  await exchange(withPlainIndexes, name, withoutConstraints(definition), true);
}

/** The statement that creates a plain index, if the given one creates a unique one. */
export const withPlainIndex = (sql: string): string => sql.replace(/^CREATE\s+UNIQUE\s+INDEX/i, 'CREATE INDEX');

/** Whether SQLite refused a statement because of rows (SQLite, "Result and Error Codes"). */
export function breaksRule(error: unknown): boolean {
  const code = codeOf(error instanceof StatementError ? error.cause : error);
  return /^SQLITE_CONSTRAINT_(?:UNIQUE|NOTNULL|CHECK)$/.test(code ?? '');
}

/** The AUTOINCREMENT counter of a table, which may be above the highest rowid; null for a table without one. */
async function sequenceOf(session: Session, table: string): Promise<number | null> {
  const kept = await session.query(`SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'`);
  if (kept.length === 0) return null;
  const [row] = await session.query('SELECT seq FROM sqlite_sequence WHERE name = $1', [table]);
  return row === undefined ? null : Number(row['seq']);
}

async function copyRows(session: Session, from: string, to: string): Promise<void> {
  const columns = await session.query(
    `SELECT name FROM pragma_table_xinfo($1) WHERE hidden = 0
      AND lower(name) IN (SELECT lower(name) FROM pragma_table_xinfo($2) WHERE hidden = 0)`,
    [from, to],
  );
  const names = columns.map((row) => text(row, 'name'));
  const lower = new Set(names.map((name) => name.toLowerCase()));
  const rowid = (await isWithoutRowid(session, to))
    ? undefined
    : ['rowid', '_rowid_', 'oid'].find((name) => !lower.has(name));
  const list = [...(rowid === undefined ? [] : [rowid]), ...names.map(quoteName)].join(', ');
  await session.run(`INSERT INTO ${quoteName(to)} (${list}) SELECT ${list} FROM ${quoteName(from)}`);
}

async function isWithoutRowid(session: Session, table: string): Promise<boolean> {
  const [row] = await session.query('SELECT wr FROM pragma_table_list WHERE schema = $1 AND name = $2', [
    'main',
    table,
  ]);
  return row?.['wr'] === 1;
}
