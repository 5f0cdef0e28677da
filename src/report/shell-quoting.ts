import { isPrintable } from '../platform/printable.ts';

/** A text as one word of a POSIX shell, on one line whatever is in it. */
export function shellWord(text: string): string {
  if (!isPrintable(text)) return `"$(printf '${escapeOctal(text)}')"`;
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What printf makes the text of: bytes that cannot be seen, and its own signs, in octal digits. */
function escapeOctal(text: string): string {
  return Array.from(text)
    .map((character) => (isPrintable(character) && !/[\\%']/.test(character) ? character : octalOf(character)))
    .join('');
}

const octalOf = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

export function shellWords(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}
