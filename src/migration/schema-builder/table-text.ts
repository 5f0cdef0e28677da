import { quoteName } from '../../platform/sql-quoting.ts';
import { join, keyword, identifierOf, namesIn, normalize, tokenize, type Token } from './sql-tokens.ts';
import type { ColumnChange, Definition } from './steps.ts';

/**
 * A parsed CREATE TABLE statement in which one part can be changed while all other text stays unchanged
 * (https://sqlite.org/lang_createtable.html).
 */
export interface TableText {
  /** Columns and table constraints, in order. */
  readonly items: readonly Item[];
  /** The options after the closing parenthesis: `WITHOUT ROWID`, `STRICT`. */
  readonly options: string;
}

interface Item {
  /** The text without its comma, but with comments and spaces. */
  readonly text: string;
  /** The name of the column; null for a table constraint. */
  readonly column: string | null;
}

/** The changes that a rebuild can make. */
export type TableChange =
  | ColumnChange
  | { readonly kind: 'addColumn'; readonly column: string; readonly definition: Definition }
  | { readonly kind: 'dropColumn'; readonly column: string }
  | { readonly kind: 'addConstraint'; readonly name: string; readonly definition: Definition }
  /** The foreign keys that consist of this column only. */
  | { readonly kind: 'dropForeignKeys'; readonly column: string };

const constraintStarts = new Set(['CONSTRAINT', 'PRIMARY', 'UNIQUE', 'CHECK', 'FOREIGN']);
const clauseStarts = new Set(
  'CONSTRAINT PRIMARY NOT NULL UNIQUE CHECK DEFAULT COLLATE REFERENCES GENERATED AS'.split(' '),
);

/** Parses a stored CREATE TABLE. @throws Error for any other statement, such as that of a virtual table */
export function parseTable(sql: string): TableText {
  const tokens = tokenize(sql);
  const open = tokens.findIndex((token) => token.text === '(');
  if (open < 0 || tokens.slice(0, open).some((token) => keyword(token) === 'VIRTUAL')) {
    throw new Error(`Not the statement of an ordinary table: ${sql}`);
  }
  const { parts, rest } = splitList(tokens.slice(open + 1));
  return { items: parts.map(toItem), options: join(rest) };
}

/** The statement that creates the table with a name. */
export const renderTable = (name: string, { items, options }: TableText): string =>
  `CREATE TABLE ${quoteName(name)} (${items.map((item) => item.text).join(',')})${options}`;

/** The table with one change; the text is unchanged if the table has the change already. */
export function changeTable(table: TableText, change: TableChange): TableText {
  switch (change.kind) {
    case 'addColumn': {
      const item = { text: ` ${quoteName(change.column)} ${change.definition}`, column: change.column };
      const end = table.items.findLastIndex((other) => other.column !== null) + 1;
      return { ...table, items: table.items.toSpliced(end, 0, item) };
    }
    case 'dropColumn':
      return { ...table, items: table.items.filter((item) => !goesWith(item, change.column)) };
    case 'addConstraint': {
      const text = ` CONSTRAINT ${quoteName(change.name)} ${change.definition}`;
      return { ...table, items: [...table.items, { text, column: null }] };
    }
    case 'dropForeignKeys': {
      const others = table.items.filter((item) => !isForeignKeyOf(item, change.column));
      return { ...table, items: mapColumn(others, change.column, withoutReferences) };
    }
    case 'setType':
    case 'setNotNull':
    case 'dropNotNull':
    case 'setDefault':
    case 'dropDefault':
      return { ...table, items: mapColumn(table.items, change.column, (text) => changeColumn(text, change)) };
  }
}

/**
 * The table without NOT NULL, UNIQUE and CHECK, which rows may violate. Primary keys stay; foreign keys stay too,
 * because SQLite does not check them here.
 */
export function withoutConstraints({ items, options }: TableText): TableText {
  const isRule = (word: string): boolean => word === 'UNIQUE' || word === 'CHECK';
  const kindOf = (text: string): string => {
    const words = tokenize(text).filter((token) => token.kind !== 'space');
    return keyword(words[keyword(words[0]) === 'CONSTRAINT' ? 2 : 0]);
  };
  return {
    options,
    items: items
      .filter((item) => item.column !== null || !isRule(kindOf(item.text)))
      .map((item) => {
        if (item.column === null) return item;
        const column = parseColumn(item.text);
        const clauses = column.clauses.filter(({ kind }) => kind !== 'NOT' && !isRule(kind));
        return { ...item, text: renderColumn({ ...column, clauses }) };
      }),
  };
}

/** Whether the table has a constraint of that name, or a table constraint with the same definition. */
export function hasConstraint({ items }: TableText, name: string, definition: Definition): boolean {
  const named = `\n${normalize(`CONSTRAINT ${quoteName(name)}`)}\n`;
  const body = normalize(definition);
  return items.some((item) => {
    const text = normalize(item.text);
    return `\n${text}`.includes(named) || (item.column === null && text.replace(/^constraint\n.*\n/, '') === body);
  });
}

/**
 * The definitions of the named constraints of a table, each with its name: `UNIQUE (code)` → `uq_projects_code`. A
 * column constraint is given as a table constraint: `FOREIGN KEY (code) REFERENCES …`.
 */
export function namedConstraints({ items }: TableText): ReadonlyMap<string, string> {
  return new Map(
    items.flatMap((item) =>
      clausesOf(item).flatMap((clause) => {
        const tokens = tokenize(clause.trim());
        const name = tokens[2];
        if (keyword(tokens[0]) !== 'CONSTRAINT' || name === undefined) return [];
        const definition = tableRule(item.column, join(tokens.slice(3)).trim());
        return definition === null ? [] : [[definition, identifierOf(name)] as const];
      }),
    ),
  );
}

const clausesOf = ({ text, column }: Item): readonly string[] =>
  column === null ? [text] : parseColumn(text).clauses.map((clause) => clause.text);

/** A clause of a column as a table constraint; null for NOT NULL, DEFAULT and the like. */
function tableRule(column: string | null, clause: string): string | null {
  if (column === null) return clause;
  switch (/^\w*/.exec(clause)?.[0].toUpperCase() ?? '') {
    case 'REFERENCES':
      return `FOREIGN KEY (${column}) ${clause}`;
    case 'UNIQUE':
      return `UNIQUE (${column})`;
    case 'PRIMARY':
      return `PRIMARY KEY (${column})`;
    case 'CHECK':
      return clause;
    default:
      return null;
  }
}

/** Splits the tokens after an opening parenthesis at the commas; `rest`: the tokens after the closing parenthesis. */
function splitList(tokens: readonly Token[]): { parts: Token[][]; rest: readonly Token[] } {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.text === ')' && depth === 0) return { parts, rest: tokens.slice(index + 1) };
    depth += nesting(token);
    if (token.text === ',' && depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  throw new Error(`A parenthesis is not closed in: ${join(tokens)}`);
}

const nesting = (token: Token): number => (token.text === '(' ? 1 : 0) - (token.text === ')' ? 1 : 0);

function toItem(tokens: readonly Token[]): Item {
  const first = tokens.find((token) => token.kind !== 'space');
  if (first === undefined) throw new Error('A table has an empty item.');
  return { text: join(tokens), column: constraintStarts.has(keyword(first)) ? null : identifierOf(first) };
}

const sameName = (one: string | null, other: string): boolean => one?.toLowerCase() === other.toLowerCase();

const mapColumn = (items: readonly Item[], column: string, change: (text: string) => string): readonly Item[] =>
  items.map((item) => (sameName(item.column, column) ? { ...item, text: change(item.text) } : item));

/** Whether an item has to be removed together with the column. */
const goesWith = (item: Item, column: string): boolean =>
  item.column === null ? constrained(item).has(column.toLowerCase()) : sameName(item.column, column);

/** Whether an item is a foreign key (table constraint) with this column only. */
const isForeignKeyOf = (item: Item, column: string): boolean =>
  item.column === null &&
  tokenize(item.text).some((token) => keyword(token) === 'REFERENCES') &&
  constrained(item).size === 1 &&
  constrained(item).has(column.toLowerCase());

/** The columns in a table constraint, without those after REFERENCES, which belong to another table. */
function constrained(item: Item): ReadonlySet<string> {
  const tokens = tokenize(item.text);
  const start = tokens.findIndex((token) => token.text === '(');
  const end = tokens.findIndex((token) => keyword(token) === 'REFERENCES');
  return namesIn(tokens.slice(start, end < 0 ? tokens.length : end));
}

function withoutReferences(text: string): string {
  const column = parseColumn(text);
  const kept = column.clauses.filter((clause) => clause.kind !== 'REFERENCES');
  return kept.length === column.clauses.length ? text : renderColumn({ ...column, clauses: kept });
}

interface Clause {
  /** The first word in upper case: `NOT`, `DEFAULT`; for a named constraint, the word after its name. */
  readonly kind: string;
  readonly text: string;
}

interface ColumnText {
  readonly name: string;
  readonly type: string;
  readonly clauses: readonly Clause[];
}

function changeColumn(text: string, change: ColumnChange): string {
  const column = parseColumn(text);
  const without = (kind: string): readonly Clause[] => column.clauses.filter((clause) => clause.kind !== kind);
  switch (change.kind) {
    case 'setType':
      return normalize(column.type) === normalize(change.type) ? text : renderColumn({ ...column, type: change.type });
    case 'setNotNull':
      if (column.clauses.some((clause) => clause.kind === 'NOT')) return text;
      return renderColumn({ ...column, clauses: [...without('NULL'), { kind: 'NOT', text: 'NOT NULL' }] });
    case 'dropNotNull':
      return renderColumn({ ...column, clauses: without('NOT') });
    case 'setDefault': {
      const clause = `DEFAULT ${asDefault(change.expression)}`;
      const former = column.clauses.find(({ kind }) => kind === 'DEFAULT');
      if (former !== undefined && normalize(former.text) === normalize(clause)) return text;
      return renderColumn({ ...column, clauses: [...without('DEFAULT'), { kind: 'DEFAULT', text: clause }] });
    }
    case 'dropDefault':
      return renderColumn({ ...column, clauses: without('DEFAULT') });
  }
}

/** Adds parentheses to a default, unless it is a literal, a signed number or a word such as CURRENT_TIMESTAMP. */
function asDefault(expression: string): string {
  const simple = /^(?:'(?:[^']|'')*'|[+-]?[\d.]+|\w+|\(.*\))$/s;
  return simple.test(expression.trim()) ? expression : `(${expression})`;
}

function parseColumn(text: string): ColumnText {
  const tokens = tokenize(text);
  const nameEnd = tokens.findIndex((token) => token.kind !== 'space') + 1;
  const clauses: { kind: string; tokens: Token[] }[] = [];
  const type: Token[] = [];
  let depth = 0;
  tokens.slice(nameEnd).forEach((token, index, rest) => {
    const word = depth === 0 ? keyword(token) : '';
    const current = clauses.at(-1);
    if (clauseStarts.has(word) && !continues(current?.tokens ?? [], word, rest.slice(index + 1))) {
      if (current?.kind === 'CONSTRAINT') current.kind = word;
      else clauses.push({ kind: word, tokens: [] });
    }
    (clauses.at(-1)?.tokens ?? type).push(token);
    depth += nesting(token);
  });
  return {
    name: join(tokens.slice(0, nameEnd)),
    type: join(type),
    clauses: clauses.map((clause) => ({ kind: clause.kind, text: join(clause.tokens) })),
  };
}

/** Whether a word that can start a clause continues the previous clause: NOT NULL, SET DEFAULT, NOT DEFERRABLE. */
function continues(clause: readonly Token[], word: string, following: readonly Token[]): boolean {
  const words = clause.filter((token) => token.kind !== 'space');
  const last = keyword(words.at(-1));
  const next = keyword(following.find((token) => token.kind !== 'space'));
  if (last === 'SET' || last === 'ALWAYS' || (word === 'NOT' && next === 'DEFERRABLE')) return true;
  const opened = keyword(words[0]) === 'CONSTRAINT' ? words.slice(2) : words;
  return opened.length === 1 && (last === 'NOT' || last === 'DEFAULT');
}

/** Joins the parts of a column. A space is inserted only if there is none, so unchanged parts keep their spaces. */
const renderColumn = ({ name, type, clauses }: ColumnText): string =>
  [name, type, ...clauses.map((clause) => clause.text)].reduce((sql, part) =>
    part === '' || /\s$/.test(sql) || /^\s/.test(part) ? sql + part : `${sql} ${part}`,
  );
