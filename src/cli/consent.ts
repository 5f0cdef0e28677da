import type { Config } from '../config/config.ts';
import { Failure } from '../errors/failure.ts';
import type { CommandContext } from './context.ts';
import { consentTexts } from '../report/command-line.ts';

/**
 * Asks for consent to a step that cannot be undone or that needs a decision. Consent is the flag `--yes`, or the answer
 * `yes` on a terminal.
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
  throw misuse(consentTexts.needed(what), ['--yes']);
}

/** The option that gives consent to delete a whole database; its value is the database's name. */
export const yesDeleteAllData = 'yes-delete-all-data';

/**
 * Prepares the question for consent to delete a whole database. Consent is the name of the database, in
 * `--yes-delete-all-data NAME` or typed on a terminal, or TT_FORCE_RESET_DB.
 * @returns a function that asks, and throws Failure `declined`; its argument says what is about to happen
 * @throws Failure `usage` at once if there is no terminal, or if the option names another database
 */
export function consentByName(
  { arguments: { options }, config, signal, ordered = false }: CommandContext,
  name: string,
): (what: string) => Promise<void> {
  const given = options.get(yesDeleteAllData);
  if (given !== undefined && !isNamed(given, name, config)) {
    throw misuse(consentTexts.otherName(yesDeleteAllData, given, name));
  }
  if (given !== undefined || config.forceReset) return () => Promise.resolve();
  if (!isTerminal()) {
    throw misuse(consentTexts.neededByName(name, yesDeleteAllData, ordered), [`--${yesDeleteAllData}`, name]);
  }
  return async (what) => {
    const answer = await ask(consentTexts.questionByName(what, name), signal);
    if (!isNamed(answer, name, config)) throw new Failure({ kind: 'declined' });
  };
}

/** Whether the given text names the database: its name or, for a SQLite file, the whole path. */
function isNamed(given: string, name: string, { database }: Config): boolean {
  return given === name || (database.kind === 'sqlite' && given === database.file);
}

function isTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** @returns the answer; empty if the terminal was closed or the run was interrupted */
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

const misuse = (message: string, lacking: readonly string[] = []): Failure =>
  new Failure({ kind: 'usage', message, lacking });
