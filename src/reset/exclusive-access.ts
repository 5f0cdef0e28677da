import { existsSync, statSync } from 'node:fs';
import { findRemainingWriters, terminate } from '../database/postgres/other-sessions.ts';
import type { Session } from '../database/session.ts';
import { Failure } from '../errors/failure.ts';

/**
 * Ends all other sessions of the database (`disconnect`), or refuses if there are any. Not needed on SQLite.
 * @throws Failure `reset-refused`, `missing-rights`
 */
export async function requireExclusiveAccess(session: Session, database: string, disconnect: boolean): Promise<void> {
  if (session.engine === 'sqlite') return;
  const { sessions: others } = await findRemainingWriters(session);
  if (others.length === 0) return;
  if (!disconnect) {
    throw new Failure({ kind: 'reset-refused', database, obstacle: { kind: 'others-are-connected', others } });
  }
  await terminate(session, others, database);
}

/**
 * Ensures that no other process has the file open, as far as file locks show it. Call it before the file is opened.
 * @throws Failure `reset-refused`
 */
export async function requireExclusiveFile(file: string): Promise<void> {
  if (!existsSync(file) || !statSync(file).isFile()) return;
  const { withExclusiveFile } = await import('../database/sqlite/exclusive.ts');
  if (withExclusiveFile(file, () => undefined)) return;
  throw new Failure({ kind: 'reset-refused', database: file, obstacle: { kind: 'file-in-use', file } });
}
