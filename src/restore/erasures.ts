import type { Archive } from '../archive/reader.ts';
import type { Database } from '../database/database.ts';

/**
 * No time zone is farther from UTC. The application writes both times without their zone, so an archive counts as older
 * than an erasure unless it is certainly newer.
 */
const zones = 14 * 60 * 60 * 1000;

/**
 * The users of the live database who were erased (`users.anonymized_at`) since an archive was made, or may have been: it
 * holds them as they were. Nobody where the database cannot tell, because it has no such column or cannot be read.
 * @returns their ids
 */
export async function findErasedSince(
  { createdAt }: Pick<Archive, 'createdAt'>,
  live: Database,
): Promise<readonly number[]> {
  const made = createdAt instanceof Date ? createdAt.getTime() : Date.parse(`${createdAt ?? ''}Z`);
  const erased = 'SELECT id, CAST(anonymized_at AS text) AS at FROM users WHERE anonymized_at IS NOT NULL ORDER BY id';
  const rows = await live.read((session) => session.query(erased)).catch(() => []);
  return rows.flatMap(({ id, at }) => {
    const when = Date.parse(`${String(at).trim().replace(' ', 'T')}Z`);
    // what cannot be compared is not known to be older
    return when + zones < made ? [] : [Number(id)];
  });
}
