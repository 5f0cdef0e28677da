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

const newSalt = (): string => Array.from({ length: 16 }, () => letters.charAt(randomInt(letters.length))).join('');
