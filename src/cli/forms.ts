import { Failure } from '../errors/failure.ts';
import { usageTexts } from '../report/command-line.ts';
import type { CommandArguments } from './context.ts';

/** One of the ways in which a command is written: `backup create`, `restore --undo`. */
export interface Form {
  /** What follows the command's name, as `help` shows it: `restore NAME [--dry-run]`. */
  readonly usage: string;
  /** Options without a value that it takes. */
  readonly flags?: readonly string[];
  /** Options with a value that it takes. */
  readonly options?: readonly string[];
  /** Whether a file or a name has to be given. */
  readonly named: boolean;
}

/** What `help` and the parser have to know of a command: all of its forms together. */
export function factsOf(forms: Readonly<Record<string, Form>>): {
  readonly usage: string;
  readonly flags: readonly string[];
  readonly options: readonly string[];
} {
  const all = Object.values(forms);
  const union = (names: (form: Form) => readonly string[] = () => []): readonly string[] => [
    ...new Set(all.flatMap(names)),
  ];
  return {
    usage: all.map(({ usage }) => usage).join(' | '),
    flags: union(({ flags }) => flags ?? []),
    options: union(({ options }) => options ?? []),
  };
}

/** The form that a word names. @throws Failure `usage` if there is none */
export function formOf<Key extends string, Known extends Form>(
  command: string,
  forms: Readonly<Record<Key, Known>>,
  word: string | undefined,
): Known {
  const found = Object.entries<Known>(forms).find(([name]) => name === word);
  if (found === undefined) throw misuse(command, factsOf(forms).usage);
  return found[1];
}

/**
 * @param name the file or the name that was given; an empty one counts as none
 * @param correct what is told of the right usage, if something does not fit
 * @throws Failure `usage` where an option was given that the form does not take, or a name too many or too few
 */
export function requireForm(
  command: string,
  { flags = [], options = [], named, usage }: Form,
  given: CommandArguments,
  name: string | undefined,
  correct: string = usage,
): void {
  const known = new Set(['json', ...flags, ...options]);
  const isKnown = [...given.flags, ...given.options.keys()].every((option) => known.has(option));
  if (!isKnown || named !== ((name ?? '') !== '')) throw misuse(command, correct);
}

/** @param usage what may follow the command's name */
export function misuse(command: string, usage: string): Failure {
  return new Failure({ kind: 'usage', message: usageTexts.usage(`${command} ${usage}`) });
}
