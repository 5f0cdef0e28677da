import { printable } from '../platform/printable.ts';

/** The message when a run stops: what happened, what is safe, what to do next. */
export interface Notice {
  readonly title: string;
  readonly happened: readonly string[];
  readonly safe: string;
  /** In this order: what loses nothing first, what loses data last and in capitals. */
  readonly options: readonly string[];
  /** How the commands are meant, where they do not say it themselves. */
  readonly note?: string;
}

const width = 80;

/** The banner as plain text, to be read in a terminal or in `docker compose logs`. */
export function renderBanner({ title, happened, safe, options, note }: Notice, exitCode: number): string {
  const rule = '='.repeat(width);
  return [
    rule,
    `✗ ${printable(title)} (exit code ${exitCode})`,
    '',
    ...happened.flatMap((line) => wrap(printable(line), width)),
    '',
    ...wrap(`Safe: ${printable(safe)}`, width),
    ...(options.length > 0 ? ['', 'RECOVERY OPTIONS:'] : []),
    ...options.flatMap((option, index) => indent(`${index + 1}. `, option)),
    ...(note === undefined ? [] : ['', ...wrap(note, width)]),
    rule,
    '',
  ].join('\n');
}

/**
 * An option may have several lines. A command has its own line and is never wrapped; a command that cannot be known
 * here is an empty line.
 */
function indent(label: string, option: string): string[] {
  const pad = ' '.repeat(label.length);
  return option
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => (line.startsWith('  ') ? [line] : wrap(line, width - pad.length)))
    .map((line, index) => (index === 0 ? label : pad) + line);
}

/** Breaks at blanks. Items of a list hang: their later lines begin where the text of the first does. */
function wrap(text: string, columns: number): string[] {
  if (text.startsWith(' ')) return [text];
  if (text.startsWith('- '))
    return wrap(text.slice(2), columns - 2).map((line, i) => `${i === 0 ? '- ' : '  '}${line}`);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Printed at a second Ctrl-C, which ends the process at once. */
export const stoppedAtOnce =
  '\nStopped at once. Work that was not committed is rolled back. If a restore was running, the next start finishes or ' +
  'undoes it.\n';
