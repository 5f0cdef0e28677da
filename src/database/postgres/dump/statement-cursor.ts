import { Mismatch, openCursor, quoted, string, type Token } from '../../sql-cursor.ts';

/** The schemas and enum types that statements of a dump may name: those that the dump has created, and `public`. */
export interface AllowedNames {
  /** Names as written in SQL. */
  readonly schemas: Set<string>;
  readonly mayCreateSchemas: boolean;
  /** Qualified names of enum types. */
  readonly enums: Set<string>;
}

/** For a load into a new database. @param schema the schema whose tables are loaded; `public` is always allowed */
export const namesForDatabase = (schema = 'public'): AllowedNames => ({
  schemas: new Set(['public', ...spellingsOf(schema)]),
  mayCreateSchemas: true,
  enums: new Set(),
});

/** For a load into one schema of a database with other data: no statement may name objects outside that schema. */
export const namesForSchema = (schema: string): AllowedNames => ({
  schemas: new Set(spellingsOf(schema)),
  mayCreateSchemas: false,
  enums: new Set(),
});

const spellingsOf = (name: string): readonly string[] => [name, `"${name.replaceAll('"', '""')}"`];

/** Matches one token of a statement that pg_dump wrote (for `tokenize`). */
export const tokenPattern = new RegExp(
  [
    string,
    quoted,
    String.raw`(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.$]))`,
    // a word directly before a quote would be a prefix (E'…') that changes the meaning of the literal
    String.raw`(?<word>[A-Za-z_][\w$]*(?!['"]))(?![\w$'"])`,
    // the server's lexer reads the longest possible operator
    String.raw`(?<mark>::|[(),;.[\]]|(?:=|<>|<=|>=|<|>|\+|-|\*|/|\|\||~~|!~~)(?![-+*/<>=~!@#%^&|?\x60]))`,
  ].join('|'),
  'y',
);

export type StatementCursor = ReturnType<typeof openStatementCursor>;

/**
 * Opens a cursor over the tokens of a statement. pg_dump writes keywords in upper case, and names and types in lower
 * case or in quotes.
 */
export function openStatementCursor(tokens: readonly Token[], { schemas, enums }: AllowedNames) {
  const cursor = openCursor(tokens, {
    fold: (word) => word,
    isName: (word) => word === word.toLowerCase(),
  });
  const { peek, take, expect, expectKind, identifier, integer } = cursor;

  const schema = (): string => {
    const name = identifier();
    if (!schemas.has(name)) throw new Mismatch();
    return name;
  };
  const qualified = (): string => {
    const inSchema = schema();
    expect('.');
    return `${inSchema}.${identifier()}`;
  };

  /** A built-in type, or an enum type of the dump. @returns the type as PostgreSQL prints it */
  const type = (): string => {
    let found: string;
    if (peek(1)?.text === '.') {
      found = qualified();
      if (!enums.has(found)) throw new Mismatch();
    } else {
      const words = [expectKind('word')];
      while (continuations.has(peek()?.text ?? '') && peek()?.kind === 'word') words.push(expectKind('word'));
      found = words.join(' ');
      if (!builtInTypes.has(found)) throw new Mismatch();
      const isTime = /^(?:time|timestamp)$/.test(found);
      if (take('(')) {
        const first = integer();
        found += take(',') ? `(${first},${integer()})` : `(${first})`;
        expect(')');
      }
      const zone = isTime ? ['without time zone', 'with time zone'].find(take) : undefined;
      if (zone !== undefined) found += ` ${zone}`;
    }
    for (; take('['); found += '[]') expect(']');
    return found;
  };

  /** The name of a sequence in a string, for `nextval` and `setval`: a number would be the oid of any sequence. */
  const sequence = (): void => {
    const [, inSchema = ''] = qualifiedText.exec(expectKind('string').replaceAll("''", "'")) ?? [];
    if (!schemas.has(inSchema)) throw new Mismatch();
  };

  return { ...cursor, schema, qualified, type, sequence };
}

/** A string literal with a schema and a name, each with or without quotes. */
const qualifiedText = /^'("(?:[^"]|"")+"|[^".]+)\.(?:"(?:[^"]|"")+"|[^".]+)'$/;
const continuations = new Set(['varying', 'precision']);
const builtInTypes = new Set(
  (
    'bigint,bit,bit varying,boolean,bytea,character,character varying,cidr,date,double precision,inet,integer,interval,' +
    'json,jsonb,macaddr,money,numeric,oid,real,regclass,smallint,text,time,timestamp,tsvector,uuid,xml,bpchar,name'
  ).split(','),
);
