import type { Config } from '../config/config.ts';
import { Failure } from '../errors/failure.ts';
import type { CommandContext } from './context.ts';
import { consentTexts } from '../report/command-line.ts';

/**
 * Asks for consent to something that cannot be taken back, or that a person should have thought about.
 * `--yes` gives it; on a terminal the answer `yes` does; elsewhere it is missing.
 * @param what what is about to happen, as a sentence
 * @throws Failure `usage`, or `declined`
 */
export async function requireConsent({ arguments: { flags }, signal }: CommandContext, what: string): Promise<void> {
  if (flags.has('yes')) return;
  if (isTerminal()) {
    const answer = await ask(consentTexts.question(what), signal);
    if (answer.toLowerCase() === 'yes') return;
    throw new Failure({ kind: 'declined' });
  }
  throw misuse(consentTexts.needed(what));
}

/** The option that gives consent to delete a whole database; its value is the database's name. */
export const yesDeleteAllData = 'yes-delete-all-data';

/**
 * Asks for consent to delete a whole database. It is given by its name: with `--yes-delete-all-data NAME`, or typed in
 * on a terminal; elsewhere TT_FORCE_RESET_DB gives it.
 * @returns what asks the person, who is to be told what is about to happen
 * @throws Failure `usage` at once where nobody can be asked, and where the name is another one
 */
export function consentByName(
  { arguments: { options }, config, signal }: CommandContext,
  name: string,
): (what: string) => Promise<void> {
  const given = options.get(yesDeleteAllData);
  if (given !== undefined && !isNamed(given, name, config)) {
    throw misuse(consentTexts.otherName(yesDeleteAllData, given, name));
  }
  if (given !== undefined || config.forceReset) return () => Promise.resolve();
  if (!isTerminal()) {
    throw misuse(consentTexts.neededByName(name, yesDeleteAllData));
  }
  return async (what) => {
    const answer = await ask(consentTexts.questionByName(what, name), signal);
    if (!isNamed(answer, name, config)) throw new Failure({ kind: 'declined' });
  };
}

/** A file may be named by its whole path, too. */
function isNamed(given: string, name: string, { database }: Config): boolean {
  return given === name || (database.kind === 'sqlite' && given === database.file);
}

function isTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** @returns the answer; nothing if the terminal was closed, or the run interrupted */
async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // while readline edits a line, Ctrl-C sends no signal
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const closed = new Promise<null>((resolve) => void terminal.once('close', () => resolve(null)));
    const given = await Promise.race([terminal.question(question, { signal }).catch(() => null), closed]);
    // the line was not ended with Enter
    if (given === null) process.stderr.write('\n');
    return (given ?? '').trim();
  } finally {
    terminal.close();
  }
}

const misuse = (message: string): Failure => new Failure({ kind: 'usage', message });
