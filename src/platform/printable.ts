/**
 * Names come from databases, archives and folders that anybody may have written. Characters that control a terminal,
 * break a line, change the direction of writing, or are invisible are escaped when they are printed, as `\u{202e}`: no
 * name can forge a line or look like another one.
 */

/**
 * Control and format characters, line separators, lone surrogates, and characters that fonts ignore by default
 * (Unicode, Default_Ignorable_Code_Point).
 */
const unprintable = /(?!\uFE0F)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}\uFFFD]/gu;

const short: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\t': String.raw`\t`, '\r': String.raw`\r` };

/** A name or a sentence on one line. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => short[character] ?? codeOf(character));
}

/** A text of several lines: line breaks and tabs stay. */
export function printableLines(text: string): string {
  return text.replaceAll(unprintable, (character) => (/[\n\t]/.test(character) ? character : codeOf(character)));
}

/** The same for JSON text. The escapes do not change its value. */
export function printableJson(json: string): string {
  return json.replaceAll(unprintable, (character) =>
    character === '\n'
      ? character
      : Array.from({ length: character.length }, (_, index) => character.charCodeAt(index).toString(16))
          .map((unit) => String.raw`\u${unit.padStart(4, '0')}`)
          .join(''),
  );
}

/**
 * A SQL statement on one line, with the same effect: names and texts in it get PostgreSQL's Unicode escapes where
 * necessary. A comment stays a comment.
 */
export function printableSql(sql: string): string {
  if (isPrintable(sql)) return sql;
  if (sql.startsWith('--')) return printable(sql);
  const line = sql.replaceAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\s+/g, (word) => {
    // white space between words becomes one blank
    if (word.trim() === '') return ' ';
    return isPrintable(word) ? word : `U&${inUnicode(word)}`;
  });
  return printable(line);
}

function inUnicode(word: string): string {
  return word.replaceAll('\\', String.raw`\\`).replaceAll(unprintable, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? String.raw`\+${code.padStart(6, '0')}` : `\\${code.padStart(4, '0')}`;
  });
}

/** Whether a text is printed as it is. */
export function isPrintable(text: string): boolean {
  return printable(text) === text;
}

/** A name from outside, quoted and shortened for use in a sentence. */
export function quoted(name: string): string {
  return `“${shortened(name)}”`;
}

/** The same without quotation marks. */
export function shortened(name: string): string {
  const plain = printable(name);
  return plain.length > 100 ? `${plain.slice(0, 100)}…` : plain;
}

function codeOf(character: string): string {
  return String.raw`\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
