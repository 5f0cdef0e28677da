import type { SeedContext } from '../generators/seed-context.ts';
import type { NewRow } from '../models/models.ts';
import { administratorRow, userRows } from '../generators/people.ts';
import { developmentPassword, hashPassword } from '../password.ts';
import { ensure, read, type SeedTarget } from '../write.ts';

/**
 * Adds the people of the development data, and an administrator if the database has no active user. @returns their ids
 */
export async function writePeople(
  target: SeedTarget,
  count: number,
  administrator: string,
  context: SeedContext,
): Promise<readonly number[]> {
  const anybody = await read(target.models.users.scope('active'), ['id'], { limit: 1 });
  if (anybody.length === 0) {
    await ensure(target, 'users', ['username'], [administratorRow(administrator, context)], withPasswords);
  }
  const { ids } = await ensure(target, 'users', ['username'], userRows(count, context), withPasswords);
  return ids;
}

/** Adds a password hash with a separate salt to each row. Node computes several hashes at the same time. */
const withPasswords = (rows: readonly NewRow<'users'>[]): Promise<readonly NewRow<'users'>[]> =>
  Promise.all(rows.map(async (row) => ({ ...row, password_hash: await hashPassword(developmentPassword) })));
