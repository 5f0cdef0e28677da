import { randomInt, scrypt } from 'node:crypto';
import { promisify } from 'node:util';

/** The password of all users that the seed adds. It is not secret: docs/development.md contains it. */
export const developmentPassword = 'dev';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const derive = promisify<string, string, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

/** Hashes a password in the format of Werkzeug, with its default parameters, as the application's login expects it. */
export async function hashPassword(password: string, salt: string = newSalt()): Promise<string> {
  // maxmem is raised because this needs a little more than Node's default limit of 32 MiB
  const key = await derive(password, salt, 64, { N: 32_768, r: 8, p: 1, maxmem: 64 * 2 ** 20 });
  return `scrypt:32768:8:1$${salt}$${key.toString('hex')}`;
}

/** The number of threads that Node has for hashing. */
const threads = 4;

/**
 * Hashes the development password for each user, each time with another salt, while the caller does other work.
 * @returns the hashes by the ids of the users, in their order, so that the same rows are written in the same order
 * @throws the reason of the signal if it is aborted before the last hash was begun
 */
export async function hashPasswords(
  users: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, string>> {
  const hashes = new Map(users.map((user) => [user, '']));
  const waiting = users.values();
  const hashOnThread = async (): Promise<void> => {
    for (const user of waiting) {
      signal.throwIfAborted();
      hashes.set(user, await hashPassword(developmentPassword));
    }
  };
  await Promise.all(Array.from({ length: threads }, hashOnThread));
  return hashes;
}

const newSalt = (): string => Array.from({ length: 16 }, () => letters.charAt(randomInt(letters.length))).join('');
