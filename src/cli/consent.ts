import { createInterface } from 'node:readline/promises';
import { Failure } from '../failure.ts';
import type { CommandContext } from './context.ts';

/**
 * Asks for consent to something that cannot be taken back, or that a person should have thought about.
 * `--yes` gives it; on a terminal the answer `yes` does; elsewhere it is missing.
 * @param what what is about to happen, as a sentence
 * @throws Failure `usage`
 */
export async function requireConsent({ arguments: { flags }, signal }: CommandContext, what: string): Promise<void> {
  if (flags.has('yes')) return;
  if (process.stdin.isTTY && process.stderr.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const answer = await terminal.question(`${what}\nType yes to go on: `, { signal });
      if (answer.trim().toLowerCase() === 'yes') return;
    } finally {
      terminal.close();
    }
  }
  throw new Failure({
    kind: 'usage',
    message: `${what} This needs your consent: give --yes if that is what you want.`,
  });
}
