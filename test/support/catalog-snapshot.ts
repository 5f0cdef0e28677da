import type pg from 'pg';

const users = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
const relations = 'pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace';

/** Queries for the objects in the schemas of users. Each row becomes a line. */
const catalog = [
  `SELECT 'schema', n.nspname, n.nspacl::text, obj_description(n.oid, 'pg_namespace') FROM pg_namespace n WHERE ${users}`,
  `SELECT 'relation', c.relkind, n.nspname, c.relname, c.relacl::text, obj_description(c.oid, 'pg_class'),
          CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END FROM ${relations} WHERE ${users}`,
  `SELECT 'column', n.nspname, c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
          pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
     FROM ${relations} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE ${users}`,
  `SELECT 'index', pg_get_indexdef(i.indexrelid), i.indisvalid
     FROM ${relations} JOIN pg_index i ON i.indrelid = c.oid WHERE ${users}`,
  `SELECT 'trigger', pg_get_triggerdef(t.oid)
     FROM ${relations} JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal WHERE ${users}`,
  `SELECT 'constraint', n.nspname, k.conname, k.conrelid::regclass::text, pg_get_constraintdef(k.oid)
     FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE ${users}`,
  `SELECT 'type', n.nspname, t.typname, t.typtype, e.enumsortorder, e.enumlabel
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_enum e ON e.enumtypid = t.oid WHERE ${users}`,
  `SELECT 'function', n.nspname, p.proname, p.prosrc
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${users}`,
  `SELECT 'extension', extname, extversion FROM pg_extension`,
];

/** Returns a SELECT for each table and sequence, which yields its content with one text for each row. */
const contents = `
  SELECT CASE WHEN c.relkind = 'S'
    THEN format('SELECT format(''SELECT pg_catalog.setval(%%L, %%s, %%s)'', %L, last_value, is_called) FROM %1$s', c.oid::regclass)
    ELSE format('SELECT %L || t::text FROM %1$s t', c.oid::regclass) END AS query
  FROM ${relations} WHERE c.relkind IN ('r', 'm', 'S') AND c.relispopulated AND ${users}`;

/** The catalog and all rows as sorted lines: a substitute for machines without pg_dump. */
export async function catalogAndRows(client: pg.Client): Promise<string> {
  const lines: string[] = [];
  const read = async (text: string) => {
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
    lines.push(...rows.map((row) => (row.length === 1 ? String(row[0]) : JSON.stringify(row))));
  };
  // so that names are schema-qualified for any search path of the role
  await client.query("SET search_path TO ''");
  for (const query of catalog) await read(query);
  const { rows } = await client.query<{ query: string }>(contents);
  for (const { query } of rows) await read(query);
  return lines.toSorted().join('\n');
}
