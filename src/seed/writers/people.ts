import type { NewRow, Scene } from '../generators/seed-context.ts';
import { administratorRow, userRows } from '../generators/people.ts';
import { developmentPassword, hashPassword } from '../password.ts';
import { ensure, type Site } from '../write.ts';

/** The people of the development data, and somebody to administer a database without anybody. @returns their ids */
export async function plantPeople(
  site: Site,
  count: number,
  administrator: string,
  scene: Scene,
): Promise<readonly number[]> {
  const [anybody] = await site.session.query('SELECT id FROM users WHERE is_active = TRUE LIMIT 1');
  if (anybody === undefined) {
    await ensure(site, 'users', ['username'], [administratorRow(administrator, scene)], withPasswords);
  }
  const { ids } = await ensure(site, 'users', ['username'], userRows(count, scene), withPasswords);
  return ids;
}

/** Each gets a hash with a salt of its own; Node computes several at a time. */
const withPasswords = (rows: readonly NewRow[]): Promise<readonly NewRow[]> =>
  Promise.all(rows.map(async (row) => ({ ...row, password_hash: await hashPassword(developmentPassword) })));
