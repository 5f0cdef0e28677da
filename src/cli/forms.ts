import { Failure } from '../errors/failure.ts';
import { closestName } from '../platform/closest-name.ts';
import { usageTexts } from '../report/command-line.ts';
import type { CommandArguments } from './context.ts';

/** One form of a command: `backup create`, `restore --undo`. */
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

/** The usage text and the options of a command: those of all its forms, for `help` and for the parser. */
export function optionsOfForms(forms: Readonly<Record<string, Form>>): {
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

/** Finds the form with this name. @throws Failure `usage` if there is none */
export function findForm<Key extends string, Known extends Form>(
  command: string,
  forms: Readonly<Record<Key, Known>>,
  word: string | undefined,
): Known {
  const found = Object.entries<Known>(forms).find(([name]) => name === word);
  if (found !== undefined) return found[1];
  const names = Object.keys(forms);
  // the word may be a secret that was typed in the wrong place
  const shown = word !== undefined && /^[a-z-]{1,20}$/.test(word) ? word : null;
  const meant = word === undefined ? null : closestName(word, names);
  throw misuse(command, optionsOfForms(forms).usage, usageTexts.noForm(command, shown, meant, names));
}

/**
 * Checks that the arguments fit a form.
 * @param name the file or the name that was given; an empty text counts as none
 * @param correct the usage that the failure shows
 * @throws Failure `usage` if the form does not take one of the options, requires a name, or does not take one
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
  const isNamed = (name ?? '') !== '';
  if (!isKnown) throw misuse(command, correct, usageTexts.otherOptions);
  if (named !== isNamed) throw misuse(command, correct, named ? usageTexts.noName : usageTexts.unneededName);
}

/** The failure for wrong usage. @param usage what may follow the command's name @param reason what is wrong */
export function misuse(command: string, usage: string, reason?: string): Failure {
  const message = usageTexts.usage(`${command} ${usage}`);
  return new Failure({ kind: 'usage', message: reason === undefined ? message : `${reason} ${message}` });
}
