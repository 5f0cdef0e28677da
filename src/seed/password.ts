import { randomInt, scrypt } from 'node:crypto';
import { promisify } from 'node:util';

/** The password of everybody whom the seed brings in. It is no secret, and stands in docs/development.md. */
export const developmentPassword = 'dev';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const derive = promisify<string, string, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

/** What the application's login accepts: Werkzeug's own format, with the parameters that are its default. */
export async function hashPassword(password: string, salt: string = newSalt()): Promise<string> {
  // a little over Node's default limit of 32 MiB
  const key = await derive(password, salt, 64, { N: 32_768, r: 8, p: 1, maxmem: 64 * 2 ** 20 });
  return `scrypt:32768:8:1$${salt}$${key.toString('hex')}`;
}

const newSalt = (): string => Array.from({ length: 16 }, () => letters.charAt(randomInt(letters.length))).join('');
