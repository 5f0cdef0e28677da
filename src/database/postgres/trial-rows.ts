import { codeOf } from '../../errors/error-code.ts';
import { reasonOf } from '../../errors/failure.ts';
import type { Attachment } from '../../model/database-facts.ts';
import type { Column } from '../../model/catalog.ts';
import type { SuspectTable } from '../../model/trial.ts';
import { quoteName, quoteText } from '../../platform/sql-quoting.ts';
import { isConnectionLost } from '../error-cause.ts';
import { flag, number, only, rowsOfJson, text, texts } from '../row-values.ts';
import type { Row } from '../../model/engine.ts';
import type { Session } from '../session.ts';
import { callsIn, dependsOnMore, harmlessFunctions, mayRun, namesIn, type OwnerFunction } from './owner-code.ts';

/** How many of a table's own rows are tried. */
const realRows = 5;

/** An object of the owner's on a table of the application. */
interface OwnObject {
  readonly table: string;
  readonly what: 'trigger' | 'constraint' | 'index' | 'column';
  readonly name: string;
  /** The statement that creates it; of a column its default, or how it is generated. */
  readonly definition: string;
  readonly functions: readonly OwnerFunction[];
}

/** What became of one row: SQLSTATE and message of a refusal; `lost` if it was not there afterwards. */
type Outcome = 'accepted' | 'unknown' | 'lost' | { readonly code: string; readonly reason: string };

/**
 * Tries rows on empty copies of tables, one copy for each object of the owner's, and reports the objects that refuse
 * every row whatever is in it. Runs in an open transaction that may write, and that the caller rolls back.
 *
 * The copies are temporary tables, and the transaction is made read-only before a row is inserted: the server then
 * refuses whatever a trigger or function would change, so that neither a row nor a sequence of the application moves. A
 * function is only called if its source shows that it acts nowhere else (`mayRun`); what cannot be told is not tried.
 */
export async function tryRows(session: Session, suspects: readonly SuspectTable[]): Promise<readonly Attachment[]> {
  // the settings of the application's own sessions
  await session.run(
    `SET LOCAL statement_timeout TO '2s'; SET LOCAL search_path TO DEFAULT; SET LOCAL row_security TO DEFAULT`,
  );
  const found: Attachment[] = [];
  for (const suspect of suspects) {
    for (const object of await findObjects(session, suspect)) {
      if (!(await isSafeToTry(session, object))) continue;
      const outcomes = await tryObject(session, suspect, object);
      const refusal = outcomes.find((outcome) => typeof outcome === 'object' || outcome === 'lost');
      if (refusal !== undefined && outcomes.every((outcome) => isProof(outcome, object))) {
        found.push(attachmentOf(object, typeof refusal === 'object' ? refusal.reason : null));
      }
    }
  }
  return found;
}

const objectsQuery = (table: string): string => {
  const relation = `${quoteText(quoteName(table))}::regclass`;
  const functions = (catalog: string, object: string): string =>
    `ARRAY(SELECT refobjid FROM pg_depend WHERE classid = '${catalog}'::regclass AND objid = ${object} AND refclassid = 'pg_proc'::regclass)`;
  return `
  SELECT o.what, o.name, o.definition, (
    SELECT coalesce(json_agg(json_build_object('name', p.proname, 'source', p.prosrc, 'language', l.lanname, 'definer', p.prosecdef,
                                               'arguments', coalesce(to_json(p.proargnames), '[]'))), '[]')::text
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid = ANY (o.functions)) AS functions
  FROM (
    SELECT 'trigger' AS what, tgname AS name, pg_get_triggerdef(oid) AS definition, ${functions('pg_trigger', 'oid')} AS functions
    FROM pg_trigger WHERE tgrelid = ${relation} AND NOT tgisinternal AND tgenabled IN ('O', 'A')
    UNION ALL
    SELECT 'constraint', conname, pg_get_constraintdef(oid), ${functions('pg_constraint', 'oid')}
    FROM pg_constraint WHERE conrelid = ${relation} AND contype = 'c'
    UNION ALL
    SELECT 'index', i.relname, pg_get_indexdef(i.oid), ${functions('pg_class', 'i.oid')}
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = ${relation}
    UNION ALL
    SELECT 'column', a.attname, format(CASE a.attgenerated WHEN '' THEN 'DEFAULT %s' ELSE 'GENERATED ALWAYS AS (%s) STORED' END,
                                       pg_get_expr(d.adbin, d.adrelid)), ${functions('pg_attrdef', 'd.oid')}
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = ${relation}) AS o
  ORDER BY 1, 2`;
};

async function findObjects(session: Session, { table, objects }: SuspectTable): Promise<readonly OwnObject[]> {
  const rows = await session.query(objectsQuery(table));
  return rows
    .map((row) => ({
      table,
      what: whatOf(text(row, 'what')),
      name: text(row, 'name'),
      definition: text(row, 'definition'),
      functions: rowsOfJson(text(row, 'functions')).map(readFunction),
    }))
    .filter(({ name }) => objects.includes(name));
}

function whatOf(name: string): OwnObject['what'] {
  if (name === 'trigger' || name === 'constraint' || name === 'index' || name === 'column') return name;
  throw new Error(`unknown object: ${name}`);
}

function readFunction(row: Row): OwnerFunction {
  return {
    name: text(row, 'name'),
    source: text(row, 'source'),
    language: text(row, 'language'),
    definer: flag(row, 'definer'),
    arguments: texts(row, 'arguments'),
  };
}

/** Whether everything that the object calls is known, and acts nowhere but in this transaction. */
async function isSafeToTry(session: Session, { definition, functions }: OwnObject): Promise<boolean> {
  if (!functions.every(mayRun)) return false;
  const own = new Set(functions.map(({ name }) => name));
  const calls = [
    ...callsIn(definition).filter((name) => !own.has(name)),
    ...functions.flatMap(({ source }) => callsIn(source)),
  ];
  const names = functions.flatMap(({ source }) => namesIn(source));
  const list = (items: readonly string[]): string => `ARRAY[${items.map(quoteText).join(', ')}]::text[]`;
  const ofExtension = (catalog: string): string =>
    `EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = o.oid AND d.deptype = 'e')`;
  const rows = await session.query(`
    SELECT EXISTS (SELECT FROM pg_proc WHERE proname = ANY (${list(calls)})
                   AND (pronamespace <> 'pg_catalog'::regnamespace OR provolatile = 'v' AND proname <> ALL (${list(harmlessFunctions)})))
        OR EXISTS (SELECT FROM pg_class WHERE relname = ANY (${list(names)}) AND relkind IN ('v', 'm', 'f') AND oid >= 16384)
        OR EXISTS (SELECT FROM pg_type WHERE typname = ANY (${list(names)}) AND typtype = 'd' AND oid >= 16384)
        OR EXISTS (SELECT FROM pg_policy)
        OR EXISTS (SELECT FROM pg_operator o WHERE oid >= 16384 AND NOT ${ofExtension('pg_operator')})
        OR EXISTS (SELECT FROM pg_cast o WHERE oid >= 16384 AND NOT ${ofExtension('pg_cast')}) AS uncertain`);
  return !flag(only(rows), 'uncertain');
}

/** Tries rows on a copy of the table that has no object of the owner's but this one. */
async function tryObject(session: Session, suspect: SuspectTable, object: OwnObject): Promise<readonly Outcome[]> {
  const name = quoteName(suspect.table);
  await session.run('SAVEPOINT trial');
  try {
    const [source, count] = await sourceOf(session, name);
    await session.run(
      `CREATE TEMPORARY TABLE ${name} (LIKE ${source}); ${statementOf(object, suspect)};
       SET LOCAL transaction_read_only TO on; SET CONSTRAINTS ALL IMMEDIATE`,
    );
    const columns = Object.entries(suspect.columns).filter(
      ([column]) => object.what !== 'column' || column !== object.name,
    );
    const outcomes: Outcome[] = [];
    for (const row of rowsFor(columns, source, count)) outcomes.push(await tryRow(session, suspect.table, row));
    return outcomes;
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return [];
  } finally {
    await session.run('ROLLBACK TO trial');
  }
}

/** The qualified name of a table, and how many of its rows are to be tried. */
async function sourceOf(session: Session, name: string): Promise<readonly [string, number]> {
  const query = `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.oid = ${quoteText(name)}::regclass`;
  const source = text(only(await session.query(query)), 'name');
  const counted = await session.query(`SELECT count(*)::int AS n FROM (SELECT FROM ${source} LIMIT ${realRows}) AS r`);
  return [source, number(only(counted), 'n')];
}

/** What to insert: a row with all values, a row with only those that the table needs, and some of the table's own. */
function rowsFor(columns: readonly (readonly [string, Column])[], source: string, count: number): readonly string[] {
  const list = (some: typeof columns): string => some.map(([column]) => quoteName(column)).join(', ');
  const madeUp = (some: typeof columns): string =>
    `(${list(some)}) SELECT ${some.map(([, { type }]) => valueOf(type)).join(', ')}`;
  const own = (index: number): string =>
    `(${list(columns)}) SELECT ${list(columns)} FROM ${source} ORDER BY ctid DESC LIMIT 1 OFFSET ${index}`;
  return [
    madeUp(columns),
    madeUp(columns.filter(([, { notNull }]) => notNull)),
    ...Array.from({ length: count }, (_, index) => own(index)),
  ];
}

/** Inserts, updates and deletes a row. */
async function tryRow(session: Session, table: string, row: string): Promise<Outcome> {
  const name = `pg_temp.${quoteName(table)}`;
  const affected = async (statement: string): Promise<number> =>
    number(
      only(await session.query(`WITH written AS (${statement} RETURNING 1) SELECT count(*)::int AS n FROM written`)),
      'n',
    );
  const left = async (): Promise<number> =>
    number(only(await session.query(`SELECT count(*)::int AS n FROM ${name}`)), 'n');
  await session.run('SAVEPOINT row');
  try {
    await session.run(`INSERT INTO ${name} ${row}`);
    if ((await left()) === 0) return 'lost';
    const set = text(
      only(
        await session.query(
          `SELECT string_agg(format('%1$I = %1$I', attname), ', ') AS list FROM pg_attribute
           WHERE attrelid = ${quoteText(name)}::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
        ),
      ),
      'list',
    );
    if ((await affected(`UPDATE ${name} SET ${set}`)) === 0) return 'lost';
    await session.run(`DELETE FROM ${name}`);
    return (await left()) > 0 ? 'lost' : 'accepted';
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    const code = codeOf(error) ?? '';
    return undecided.test(code) ? 'unknown' : { code, reason: reasonOf(error) };
  } finally {
    await session.run('ROLLBACK TO row');
  }
}

// what the trial itself may cause: the read-only transaction, the time limit, another type of the row, limits of the server
const undecided = /^(?:25|57|40|53|54|55|0A|08|58|XX|42804$|42846$)/;

// errors of code that cannot work, whatever is in the row: a name that is not there, a syntax error, a missing right
const broken = new Set(['42601', '42703', '42883', '42P01', '42704', '42702', '42501']);

/** Whether the outcome proves that no row passes. */
function isProof(outcome: Outcome, { what, definition, functions }: OwnObject): boolean {
  if (outcome === 'accepted' || outcome === 'unknown') return false;
  if (outcome !== 'lost' && broken.has(outcome.code)) return true;
  if (functions.some(dependsOnMore)) return false;
  // a check that also compares columns judges rows; so does the condition of a trigger
  if (what === 'constraint' && outcome !== 'lost' && outcome.code === '23514') return isOneCall(definition);
  if (what === 'trigger') return !/ WHEN \(/.test(definition) && functions.length > 0;
  return functions.length > 0 || (what === 'column' && isConstant(definition));
}

/** Whether the value of a column is the same in each row: no name is left beside types and keywords. */
const isConstant = (definition: string): boolean =>
  !/[a-z_]/i.test(
    definition.replaceAll(/\b(?:DEFAULT|GENERATED ALWAYS AS|STORED|NULL)\b|::[a-z ]+|'(?:[^']|'')*'/g, ''),
  );

/** Whether a check consists of one call of a function, as the server prints it. */
function isOneCall(check: string): boolean {
  const plain = check.replaceAll(/::[a-z ]+(?:\(\d+\))?/g, '').replaceAll(/(?<!\w)\(("[^"]+"|\w+)\)/g, '$1');
  return /^CHECK \(\(*\w+\([^()]*\)(?: (?:IS|=|<>|<|>) (?:true|false|-?\d+))?\)*(?: NOT VALID)?$/.test(plain);
}

/** The statement that gives the copy of the table the object. */
function statementOf({ table, what, name, definition }: OwnObject, { columns }: SuspectTable): string {
  const target = `pg_temp.${quoteName(table)}`;
  const column = quoteName(name);
  switch (what) {
    case 'trigger':
    case 'index':
      // the first ON is that of the table
      return definition.replace(/ ON (?:ONLY )?(?:(?:"[^"]+"|\w+)\.)?(?:"[^"]+"|\w+) /, () => ` ON ${target} `);
    case 'constraint':
      return `ALTER TABLE ${target} ADD CONSTRAINT ${column} ${definition.replace(/ NOT VALID$/, '')}`;
    case 'column': {
      const { type = 'text', notNull = false } = columns[name] ?? {};
      return definition.startsWith('DEFAULT ')
        ? `ALTER TABLE ${target} ALTER COLUMN ${column} SET ${definition}`
        : `ALTER TABLE ${target} DROP COLUMN ${column}, ADD COLUMN ${column} ${type} ${definition}${notNull ? ' NOT NULL' : ''}`;
    }
  }
}

/** SQL for a value of a type, as the application might write it. NULL for other types. */
function valueOf(type: string): string {
  const [, width] = /^character(?: varying)?\((\d+)\)$/.exec(type) ?? [];
  if (width !== undefined) return `left('Trial', ${width})`;
  if (/^(?:text|character varying)$/.test(type)) return `'Trial'`;
  if (/^(?:smallint|integer|bigint|numeric.*|real|double precision)$/.test(type)) return '1';
  if (/^(?:date|timestamp.*)$/.test(type)) return `now()::${type}`;
  if (type.startsWith('time ')) return `'09:00'::${type}`;
  if (type.startsWith('json')) return `'{}'::${type}`;
  if (type === 'boolean') return 'true';
  if (type === 'uuid') return 'gen_random_uuid()';
  if (type.endsWith('[]')) return `'{}'::${type}`;
  if (type === 'bytea') return `''::bytea`;
  return `(SELECT enumlabel FROM pg_enum WHERE enumtypid = to_regtype(${quoteText(type)}) ORDER BY enumsortorder LIMIT 1)::text::${type}`;
}

function attachmentOf({ table, what, name, definition }: OwnObject, reason: string | null): Attachment {
  const [on, called] = [quoteName(table), quoteName(name)];
  const remedies = {
    trigger: `DROP TRIGGER ${called} ON ${on}`,
    constraint: `ALTER TABLE ${on} DROP CONSTRAINT ${called}`,
    index: `DROP INDEX ${called}`,
    column: `ALTER TABLE ${on} ALTER COLUMN ${called} DROP NOT NULL, ALTER COLUMN ${called} DROP ${definition.startsWith('DEFAULT ') ? 'DEFAULT' : 'EXPRESSION'}`,
  };
  const detail = { kind: 'refused-trial', definition, message: reason } as const;
  return { table, what, name, detail, refuses: true, remedy: remedies[what] };
}
