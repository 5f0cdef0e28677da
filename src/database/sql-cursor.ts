export interface Token {
  readonly kind: 'string' | 'quoted' | 'number' | 'word' | 'mark';
  readonly text: string;
}

/** Why a text was not recognised as a statement; `unfinished`: the rest of the statement may follow. */
export type NoStatement = 'unfinished' | 'unknown';

/** A string literal, as a part of a pattern for `tokenize`. */
export const string = String.raw`(?<string>'[^'\0]*(?:''[^'\0]*)*'(?!'))`;
/** A quoted name, as a part of a pattern for `tokenize`. */
export const quoted = String.raw`(?<quoted>"(?:[^"\0]|"")[^"\0]*(?:""[^"\0]*)*"(?!"))`;

const blank = /[ \n\r\t]*/y;
/** A string literal or a quoted name that continues on the next line. */
const open = /(?:'[^'\0]*(?:''[^'\0]*)*|"[^"\0]*(?:""[^"\0]*)*)$/y;

/**
 * Splits a statement into tokens.
 * @param pattern a sticky pattern with a group for each kind of token. Text that it does not match, such as comments
 *   and escapes, makes the statement unknown
 */
export function tokenize(text: string, pattern: RegExp): readonly Token[] | NoStatement {
  const tokens: Token[] = [];
  for (let position = 0; ;) {
    blank.lastIndex = position;
    position += blank.exec(text)?.[0].length ?? 0;
    if (position === text.length) return tokens;
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match === null) {
      open.lastIndex = position;
      return open.test(text) ? 'unfinished' : 'unknown';
    }
    tokens.push({ kind: kindOf(match.groups ?? {}), text: match[0] });
    position += match[0].length;
  }
}

function kindOf(groups: Readonly<Record<string, string | undefined>>): Token['kind'] {
  if (groups['string'] !== undefined) return 'string';
  if (groups['quoted'] !== undefined) return 'quoted';
  if (groups['number'] !== undefined) return 'number';
  return groups['word'] === undefined ? 'mark' : 'word';
}

/** The token at the cursor is not the expected one. */
export class Mismatch extends Error {}

/** How an engine spells keywords and names. */
interface Spelling {
  /** The form of a word that is compared with keywords. */
  readonly fold: (word: string) => string;
  /** Whether a word without quotes can be a name. */
  readonly isName: (word: string) => boolean;
}

/** Reads tokens one after the other. */
export function openCursor(tokens: readonly Token[], { fold, isName }: Spelling) {
  let position = 0;
  const peek = (offset = 0): Token | undefined => tokens[position + offset];

  /** Takes the words and marks of a phrase, such as `NOT NULL`, if all of them come next. @returns whether they did */
  const take = (phrase: string): boolean => {
    const texts = phrase.split(' ');
    const follows = texts.every((text, index) => {
      const token = peek(index);
      if (token?.kind === 'word') return fold(token.text) === text;
      return token?.kind === 'mark' && token.text === text;
    });
    if (follows) position += texts.length;
    return follows;
  };
  const expect = (phrase: string): void => {
    if (!take(phrase)) throw new Mismatch();
  };
  const takeKind = (kind: Token['kind']): string | null => {
    const token = peek();
    if (token?.kind !== kind) return null;
    position++;
    return token.text;
  };
  const expectKind = (kind: Token['kind']): string => {
    const text = takeKind(kind);
    if (text === null) throw new Mismatch();
    return text;
  };

  const identifier = (): string => {
    const token = peek();
    if (token?.kind !== 'quoted' && (token?.kind !== 'word' || !isName(token.text))) throw new Mismatch();
    position++;
    return token.text;
  };
  const list = (item: () => unknown): void => {
    expect('(');
    do item();
    while (take(','));
    expect(')');
  };
  const columns = (): void => list(identifier);
  const integer = (): string => {
    const sign = take('-') ? '-' : '';
    const digits = expectKind('number');
    if (!/^\d+$/.test(digits)) throw new Mismatch();
    return sign + digits;
  };

  return { peek, take, expect, takeKind, expectKind, identifier, list, columns, integer };
}
