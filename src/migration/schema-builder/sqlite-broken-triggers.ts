import type { Row } from '../../model/engine.ts';
import { text } from '../../database/row-values.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import type { Session } from '../../database/session.ts';
import { reasonOf } from '../../errors/failure.ts';

/**
 * Drops views and triggers that do not compile, runs `work`, and creates them again unchanged. SQLite compiles all
 * views and triggers of the file when a table is renamed or a column is dropped, and fails at a broken one
 * (https://sqlite.org/lang_altertable.html, "Compatibility Note"); `PRAGMA legacy_alter_table` prevents only some of
 * these errors. Views and triggers that compile stay, because SQLite renames tables in them. It runs in the caller's
 * transaction.
 */
export async function withoutBroken<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
  const broken = session.engine === 'sqlite' ? await dropBroken(session) : [];
  const result = await work();
  // views before their triggers
  for (const row of broken.toSorted((a, b) => rank(a) - rank(b))) await session.run(text(row, 'sql'));
  return result;
}

const rank = (row: Row): number => (row['type'] === 'view' ? 0 : 1);

/** Drops views and triggers until the others compile. @returns the dropped ones */
async function dropBroken(session: Session): Promise<readonly Row[]> {
  const dropped: Row[] = [];
  for (;;) {
    const present = await session.query(
      `SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger') ORDER BY length(name) DESC`,
    );
    const fault = present.length === 0 ? null : await faultOfSchema(session);
    const named = present.find((row) => isNamedIn(fault ?? '', text(row, 'type'), text(row, 'name')));
    if (named === undefined) return dropped;
    await session.run(`DROP ${text(named, 'type')} ${quoteName(text(named, 'name'))}`);
    // dropping a view also drops its triggers
    const along = present.filter((row) => row['tbl_name'] === named['name'] && row['type'] === 'trigger');
    dropped.push(named, ...(named['type'] === 'view' ? along : []));
  }
}

/** SQLite's error about the first view or trigger that does not compile; null if all do. */
async function faultOfSchema(session: Session): Promise<string | null> {
  await session.run('SAVEPOINT compiling');
  try {
    await session.run('CREATE TABLE db_init_compiling (id); ALTER TABLE db_init_compiling RENAME TO db_init_compiled');
    return null;
  } catch (error) {
    return reasonOf(error);
  } finally {
    await session.run('ROLLBACK TO compiling; RELEASE compiling');
  }
}

const isNamedIn = (fault: string, type: string, name: string): boolean =>
  [':', ' after '].some((end) => fault.startsWith(`error in ${type} ${name}${end}`));
