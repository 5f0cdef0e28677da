import type { SeedContext } from '../generators/seed-context.ts';
import { administratorRow, userRows } from '../generators/people.ts';
import { hashPasswords } from '../password.ts';
import { type Ensured, ensure, read, type SeedTarget } from '../write.ts';

/** The ids of the users of the development data. */
export interface People {
  readonly ids: readonly number[];
  /** Those that were added just now, and the administrator if there was none. They have no password yet. */
  readonly added: readonly number[];
}

/** Adds the people of the development data, and an administrator if the database has no active user. */
export async function writePeople(
  target: SeedTarget,
  count: number,
  administrator: string,
  context: SeedContext,
): Promise<People> {
  const anybody = await read(target.models.users.scope('active'), ['id'], { limit: 1 });
  const first = anybody.length === 0 ? [administratorRow(administrator, context)] : [];
  const administrators = await ensure(target, 'users', ['username'], first);
  const users = await ensure(target, 'users', ['username'], userRows(count, context));
  return { ids: users.ids, added: [administrators, users].flatMap(addedIds) };
}

const addedIds = ({ ids, added }: Ensured): readonly number[] => ids.filter((_, place) => added.includes(place));

/**
 * Runs `work`, and then sets the passwords of users. Their hashes take more processor time than everything else, so
 * Node's threads compute them while `work` runs.
 */
export async function withPasswords(
  { models, signal }: SeedTarget,
  users: readonly number[],
  work: () => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const hashing = hashPasswords(users, AbortSignal.any([signal, failed.signal]));
  // an error is thrown below, not as an unhandled rejection
  hashing.catch(() => undefined);
  try {
    await work();
  } catch (error) {
    failed.abort();
    throw error;
  }
  for (const [id, password_hash] of await hashing) await models.users.update({ password_hash }, { where: { id } });
}
