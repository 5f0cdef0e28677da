import type { Row } from '../../model/engine.ts';
import { text } from '../../database/rows.ts';
import { quoteName } from '../../database/quoting.ts';
import type { Session } from '../../database/session.ts';
import { reasonOf } from '../../errors/failure.ts';

/**
 * Runs `work` while views and triggers that do not compile are away, and puts them back word for word. SQLite compiles
 * every view and trigger of the file when any table is renamed or loses a column, and fails at one that somebody broke
 * (https://sqlite.org/lang_altertable.html, "Compatibility Note"); `PRAGMA legacy_alter_table` helps with some of that
 * only. Those that do compile stay, for SQLite lets them follow a new name. It runs in the caller's transaction.
 */
export async function withoutBroken<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
  const broken = session.engine === 'sqlite' ? await dropBroken(session) : [];
  const result = await work();
  // views before the triggers on them
  for (const row of broken.toSorted((a, b) => rank(a) - rank(b))) await session.run(text(row, 'sql'));
  return result;
}

const rank = (row: Row): number => (row['type'] === 'view' ? 0 : 1);

/** Drops views and triggers until the others compile. @returns what was dropped */
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
    // a view takes its triggers along
    const along = present.filter((row) => row['tbl_name'] === named['name'] && row['type'] === 'trigger');
    dropped.push(named, ...(named['type'] === 'view' ? along : []));
  }
}

/** What SQLite says about the first view or trigger that it cannot compile. */
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
