import { settingFaults } from '../report/setting-faults.ts';

/** The commands of a line, or why it cannot be parsed: a clause to follow the name of the variable. */
export type ParsedCommands =
  | { readonly kind: 'commands'; readonly commands: readonly (readonly string[])[] }
  | { readonly kind: 'fault'; readonly problem: string };

/** Characters outside of quotes that only a shell understands. */
const shellCharacters = /[|&;<>()$`\n*?]/;

/**
 * Splits a line in the way of a shell: blanks separate words, quotes and backslashes keep their content, `&&`
 * separates commands. Nothing is expanded. Quotes around the whole line are removed, because some user interfaces pass
 * them on.
 */
export function parseCommands(line: string): ParsedCommands {
  const found = readWords(line.trim());
  if (found.kind === 'fault') return found;
  const [[whole = '', ...more] = [], ...others] = found.commands;
  const isQuoted = more.length === 0 && others.length === 0 && /\s/.test(whole);
  const read = isQuoted ? readWords(whole) : found;
  return read.kind === 'fault' ? read : { kind: 'commands', commands: read.commands.map(withoutProgram) };
}

/** Removes the program from a command that was copied as a whole: `db-init …`, `docker compose run --rm db-init …`. */
function withoutProgram(words: readonly string[]): readonly string[] {
  const isCalled = /^(?:db-init|docker|docker-compose|podman|sudo)$/.test(words[0] ?? '');
  return isCalled ? words.slice(words.indexOf('db-init') + 1) : words;
}

function readWords(line: string): ParsedCommands {
  const commands: string[][] = [[]];
  let word: string | null = null;
  const end = (): void => {
    if (word !== null) commands.at(-1)?.push(word);
    word = null;
  };
  for (let at = 0; at < line.length; at++) {
    const sign = line.charAt(at);
    if (sign === "'" || sign === '"') {
      const close = closingQuote(line, at);
      if (close < 0) return fault(settingFaults.openQuote(sign, at + 1));
      const inside = line.slice(at + 1, close);
      if (sign === '"' && /[$`]/.test(inside)) return fault(settingFaults.shellSign);
      word = (word ?? '') + (sign === '"' ? inside.replaceAll(/\\(["\\])/g, '$1') : inside);
      at = close;
    } else if (sign === '\\') {
      word = (word ?? '') + line.charAt(++at);
    } else if (line.startsWith('&&', at)) {
      end();
      if (commands.at(-1)?.length === 0) return fault(settingFaults.noCommandBefore);
      commands.push([]);
      at += 1;
    } else if (/[ \t]/.test(sign)) {
      end();
    } else if (shellCharacters.test(sign)) {
      return fault(settingFaults.shellSign);
    } else {
      word = (word ?? '') + sign;
    }
  }
  end();
  return commands.at(-1)?.length === 0 ? fault(settingFaults.noCommandAtEnd) : { kind: 'commands', commands };
}

const fault = (problem: string): ParsedCommands => ({ kind: 'fault', problem });

/** The end of the quote that begins at a position; inside double quotes a backslash keeps the next character. */
function closingQuote(line: string, from: number): number {
  const quote = line.charAt(from);
  for (let at = from + 1; at < line.length; at++) {
    if (quote === '"' && line.charAt(at) === '\\') at += 1;
    else if (line.charAt(at) === quote) return at;
  }
  return -1;
}
