import { zonedTime } from '../platform/local-time.ts';
import type { OnceProgress } from '../state-folder/run-once-progress.ts';
import type { Problem } from '../errors/failure.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import { untouched } from './next-steps.ts';
import { shellWords } from './shell-quoting.ts';

/** How often a command that changes nothing but fails is tried. */
export const mostFailures = 3;

/** The commands of TT_RUN_ONCE, as they would be written there. */
export function writtenOnce(commands: readonly (readonly string[])[]): string {
  return commands.map((words) => shellWords(words)).join(' && ');
}

export const onceTexts = {
  begins: (words: readonly string[]): string => `TT_RUN_ONCE: running \`${shellWords(words)}\` before anything else.`,
  ended: (words: readonly string[]): string => `TT_RUN_ONCE: \`${shellWords(words)}\` is done.`,
  endedAll: (words: readonly string[]): string =>
    `TT_RUN_ONCE: \`${shellWords(words)}\` is done. db-init remembers this and does not repeat it at another start. ` +
    'You can unset the variable.',
  notRemembered: (reason: string): string =>
    `TT_RUN_ONCE: db-init could not note that it is done (${reason}). Another start does not repeat it.`,
  notForgotten: (reason: string): string => `db-init could not delete its note about TT_RUN_ONCE (${reason}).`,
  /** @param allowed commands, with their verbs if not all of these are allowed */
  notNamed: (allowed: readonly { readonly name: string; readonly once?: true | readonly string[] }[]): string =>
    'names a command that cannot be run once; allowed: ' +
    allowed.map(({ name, once }) => (typeof once === 'object' ? `${name} ${once.join('|')}` : name)).join(', '),
  stream: 'writes the backup to standard output, which nobody reads here: set --output to a folder, or omit it',
};

/** Why the next start does not run the commands of the variable, as a sentence; null if it runs them. */
export function whyNotAgain(commands: readonly (readonly string[])[], memory: OnceProgress | null): string | null {
  if (memory === null || writtenOnce(memory.commands) !== writtenOnce(commands)) return null;
  const written = `TT_RUN_ONCE: \`${writtenOnce(commands)}\``;
  const again = 'To run it again, start once without the variable, or change its value.';
  const { end } = memory;
  if (end === null) {
    return (
      `${written} began (${zonedTime(memory.begunAt)}), and its end is not known: it is still running, or was killed. ` +
      `It is not repeated. ${again}`
    );
  }
  if (memory.finished === commands.length) {
    return `${written} was done already (${zonedTime(end.at)}). You can unset the variable.`;
  }
  if (end.exitCode === 0) return null;
  if (!end.changed && memory.failures < mostFailures) return null;
  const why = end.changed ? 'after it had changed something' : `${memory.failures} times`;
  return `${written} failed ${why} (exit code ${end.exitCode}, ${zonedTime(end.at)}). It is not repeated. ${again}`;
}

export function describeOnceRefusal(
  { folder, file, reason }: Extract<Problem, { kind: 'run-once-refused' }>,
  commands: Commands,
): Notice {
  const title = 'The commands of TT_RUN_ONCE were not run';
  if (reason === null) {
    return {
      title,
      happened: [
        `db-init has to note in the backup folder that they are done, but ${folder} is not on a volume: every ` +
          'start would run them again.',
      ],
      safe: untouched,
      options: [
        `Mount a volume there, or set BACKUP_FOLDER to a folder on a volume, then start again.\n${commands.gate}`,
        'Or unset TT_RUN_ONCE, and run the command by hand.',
      ],
    };
  }
  return {
    title,
    happened: [`db-init notes finished commands in ${file}, which cannot be used: ${reason}.`],
    safe: untouched,
    options: [
      `Let the user of db-init read and write that folder, or free space if the disk is full, then start again.\n${commands.gate}`,
      'If the file is damaged, move it away. The next start then runs the commands, even if they were run before.',
      'Or unset TT_RUN_ONCE.',
    ],
  };
}

/** A line of `status` and `plan`. @param why it is not carried out; null if it is */
export function describeOrders(commands: string, why: string | null): string {
  if (why !== null) return `runs once: ${why}`;
  return `runs once: ${commands} (TT_RUN_ONCE): the gate will run it first; all of this is how the database is now`;
}
