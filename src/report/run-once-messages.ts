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
  begins: (words: readonly string[]): string =>
    `TT_RUN_ONCE: carrying out \`${shellWords(words)}\` before anything else.`,
  ended: (words: readonly string[]): string => `TT_RUN_ONCE: \`${shellWords(words)}\` was carried out.`,
  endedAll: (words: readonly string[]): string =>
    `TT_RUN_ONCE: \`${shellWords(words)}\` was carried out. It is remembered: another start does not repeat it. ` +
    'The variable can be unset.',
  notRemembered: (reason: string): string =>
    `TT_RUN_ONCE: that it was carried out could not be noted (${reason}). Another start does not repeat it all the same.`,
  notForgotten: (reason: string): string => `What TT_RUN_ONCE did once could not be forgotten (${reason}).`,
  notNamed: 'names a command that cannot be run once; allowed: ',
  stream: 'writes the backup to standard output, which nobody reads here: give --output a folder, or leave it out',
};

/** What the variable does at the next start: null if it is carried out then; else why it is not, as a sentence. */
export function whyNotAgain(commands: readonly (readonly string[])[], memory: OnceProgress | null): string | null {
  if (memory === null || writtenOnce(memory.commands) !== writtenOnce(commands)) return null;
  const written = `TT_RUN_ONCE: \`${writtenOnce(commands)}\``;
  const again = 'To have it carried out again, start once without the variable, or change its value.';
  const { end } = memory;
  if (end === null) {
    return (
      `${written} began (${zonedTime(memory.begunAt)}), and how it ended is not known: it is at work, or was killed. ` +
      `It is not repeated. ${again}`
    );
  }
  if (memory.finished === commands.length) {
    return `${written} was carried out already (${zonedTime(end.at)}). The variable can be unset.`;
  }
  if (end.exitCode === 0) return null;
  if (!end.changed && memory.failures < mostFailures) return null;
  const why = end.changed ? 'after it had changed something' : `${memory.failures} times`;
  return `${written} failed ${why} (exit code ${end.exitCode}, ${zonedTime(end.at)}). It is not repeated. ${again}`;
}

/** Why nothing is carried out. */
export function describeOnceRefusal(
  { folder, file, reason }: Extract<Problem, { kind: 'run-once-refused' }>,
  commands: Commands,
): Notice {
  const title = 'TT_RUN_ONCE is not carried out';
  if (reason === null) {
    return {
      title,
      happened: [
        `That it was done has to be remembered in the backup folder, and there is no volume for ${folder}: the next ` +
          'start would do it again.',
      ],
      safe: untouched,
      options: [
        `Mount a volume there, or name a folder on one in BACKUP_FOLDER, then start again.\n${commands.gate}`,
        'Or unset TT_RUN_ONCE, and give the command by hand.',
      ],
    };
  }
  return {
    title,
    happened: [`What it did before is remembered in ${file}, which cannot be used: ${reason}.`],
    safe: untouched,
    options: [
      `Let the user of db-init read and write that folder, or make room where it is full, then start again.\n${commands.gate}`,
      'If the file is damaged, move it away: then the command is carried out at the next start, whether or not it was before.',
      'Or unset TT_RUN_ONCE.',
    ],
  };
}

/** A line of `status` and `plan`. @param why it is not carried out; null if it is */
export function describeOrders(commands: string, why: string | null): string {
  if (why !== null) return `runs once: ${why}`;
  return `runs once: ${commands} (TT_RUN_ONCE): the gate will carry it out first; all of this is how the database is now`;
}
