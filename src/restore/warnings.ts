import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Archive } from '../archive/reader.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { readSampleRows } from '../database/sample-rows.ts';
import type { Session } from '../database/session.ts';
import type { Row } from '../model/engine.ts';
import type { MissingSurroundings } from '../report/restore-messages.ts';

const encryptedPrefix = 'enc:v1:';

/**
 * Finds what the application needs beside its database and no archive contains: the key of its encrypted settings, and
 * the file that says that it is installed.
 */
export async function findMissingSurroundings(
  database: Database,
  { settingsKey, installationFolder }: Pick<Config, 'settingsKey' | 'installationFolder'>,
): Promise<readonly MissingSurroundings[]> {
  const encrypted = await database.read(findEncrypted);
  const missing: MissingSurroundings[] = [];
  if (settingsKey === '') {
    if (encrypted.length > 0) missing.push({ kind: 'no-settings-key' });
  } else if (encrypted.some((value) => !isSignedWith(settingsKey, value))) missing.push({ kind: 'other-settings-key' });
  const file = join(installationFolder, 'installation.json');
  if (existsSync(installationFolder) && !existsSync(file)) missing.push({ kind: 'no-installation-file', file });
  return missing;
}

async function findEncrypted(session: Session): Promise<readonly string[]> {
  // an old revision may lack the table or the column
  const rows = [
    ...(await queryIfPossible(session, () => readSampleRows(session, 'settings', 10))),
    ...(await queryIfPossible(session, () => session.query(secondFactors, [`${encryptedPrefix}%`]))),
  ];
  return rows.flatMap((row) => Object.values(row)).filter((value) => isEncrypted(value));
}

/** Reads more characters of each value than the application writes. */
const secondFactors =
  'SELECT substr(two_factor_secret, 1, 10000) FROM users WHERE two_factor_secret LIKE $1 LIMIT 1000';

function isEncrypted(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(encryptedPrefix);
}

/** The rows of a query; none if it fails. Uses a savepoint, because a failed transaction accepts no more queries. */
async function queryIfPossible(session: Session, work: () => Promise<readonly Row[]>): Promise<readonly Row[]> {
  try {
    await session.run('SAVEPOINT look');
    return await work();
  } catch {
    await session.run('ROLLBACK TO SAVEPOINT look');
    return [];
  }
}

/** Whether a value has the signature of the key (Fernet's specification: the first half of the key signs). */
function isSignedWith(key: string, value: string): boolean {
  const token = Buffer.from(value.slice(encryptedPrefix.length), 'base64url');
  const signature = createHmac('sha256', Buffer.from(key, 'base64url').subarray(0, 16))
    .update(token.subarray(0, -32))
    .digest();
  const found = token.subarray(-32);
  return found.length === signature.length && timingSafeEqual(found, signature);
}

/**
 * The largest distance of a time zone from UTC. The application writes both times without a zone, so an archive counts
 * as older than an erasure unless it is certainly newer.
 */
const longestOffset = 14 * 60 * 60 * 1000;

/**
 * The users of the live database who were erased (`users.anonymized_at`) after an archive was made, or may have been:
 * the archive holds their data from before. Empty if the database has no such column or cannot be read.
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
    // a time that cannot be compared may be newer
    return when + longestOffset < made ? [] : [Number(id)];
  });
}
