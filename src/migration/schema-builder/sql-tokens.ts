/** A token of SQL. The texts of all tokens together are the SQL. */
export interface Token {
  readonly kind: 'space' | 'string' | 'quoted' | 'word' | 'mark';
  readonly text: string;
}

const pattern = new RegExp(
  [
    String.raw`(?<space>(?:\s+|--[^\n]*\n?|/\*[\s\S]*?(?:\*/|$))+)`,
    String.raw`(?<string>'(?:[^']|'')*')`,
    String.raw`(?<quoted>"(?:[^"]|"")*"|\x60(?:[^\x60]|\x60\x60)*\x60|\[[^\]]*\])`,
    String.raw`(?<word>[\w$\u0080-\u{10ffff}]+)`,
    String.raw`(?<mark>.)`,
  ].join('|'),
  'gsu',
);

function kindOf(groups: Readonly<Record<string, string | undefined>>): Token['kind'] {
  if (groups['space'] !== undefined) return 'space';
  if (groups['string'] !== undefined) return 'string';
  if (groups['quoted'] !== undefined) return 'quoted';
  return groups['word'] === undefined ? 'mark' : 'word';
}

/** Splits SQL into tokens. Comments count as space; names in `"a"`, backticks or `[a]` are `quoted`. */
export const tokenize = (sql: string): Token[] =>
  [...sql.matchAll(pattern)].map((match) => ({ kind: kindOf(match.groups ?? {}), text: match[0] }));

/** The SQL that the tokens were made of. */
export const join = (tokens: readonly Token[]): string => tokens.map((token) => token.text).join('');

/** A word in upper case, to compare it with keywords; empty for other tokens. */
export const keyword = (token: Token | undefined): string => (token?.kind === 'word' ? token.text.toUpperCase() : '');

/** A name without its quotes, as in the catalog; other tokens unchanged. */
export function identifierOf(token: Token): string {
  if (token.kind !== 'quoted') return token.text;
  const inner = token.text.slice(1, -1);
  const quote = token.text.charAt(0);
  return quote === '[' ? inner : inner.replaceAll(quote + quote, quote);
}

/** A form of SQL to compare: one token per line, without spaces and comments, names unquoted and in lower case. */
export const normalize = (sql: string): string =>
  tokenize(sql)
    .filter((token) => token.kind !== 'space')
    .map((token) => (token.kind === 'string' ? token.text : identifierOf(token).toLowerCase()))
    .join('\n');

/** All words and names in SQL, quoted or not, in lower case. */
export const namesIn = (tokens: readonly Token[]): ReadonlySet<string> =>
  new Set(
    tokens
      .filter((token) => token.kind === 'word' || token.kind === 'quoted')
      .map((token) => identifierOf(token).toLowerCase()),
  );
