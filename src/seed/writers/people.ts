import type { Scene } from '../generators/seed-context.ts';
import type { NewRow } from '../models/models.ts';
import { administratorRow, userRows } from '../generators/people.ts';
import { developmentPassword, hashPassword } from '../password.ts';
import { ensure, read, type Site } from '../write.ts';

/** The people of the development data, and somebody to administer a database without anybody. @returns their ids */
export async function plantPeople(
  site: Site,
  count: number,
  administrator: string,
  scene: Scene,
): Promise<readonly number[]> {
  const anybody = await read(site.models.users.scope('active'), ['id'], { limit: 1 });
  if (anybody.length === 0) {
    await ensure(site, 'users', ['username'], [administratorRow(administrator, scene)], withPasswords);
  }
  const { ids } = await ensure(site, 'users', ['username'], userRows(count, scene), withPasswords);
  return ids;
}

/** Each gets a hash with a salt of its own; Node computes several at a time. */
const withPasswords = (rows: readonly NewRow<'users'>[]): Promise<readonly NewRow<'users'>[]> =>
  Promise.all(rows.map(async (row) => ({ ...row, password_hash: await hashPassword(developmentPassword) })));
