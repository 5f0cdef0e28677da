import type { Row } from '../../model/engine.ts';
import type { Dependent } from '../../model/cause.ts';
import { text } from '../row-values.ts';
import type { Session } from '../session.ts';

/**
 * Finds the views, materialized views and rules that depend on a column, directly or through other views: they prevent
 * the server from dropping the column or changing its type. The result has the order in which they can be recreated.
 * @param column null for any column of the table
 */
export async function findDependentViews(
  session: Session,
  table: string,
  column: string | null,
): Promise<readonly Dependent[]> {
  const rows = await session.query(dependentsQuery, [table, column]);
  return rows.map((row) => ({
    what: text(row, 'what'),
    name: text(row, 'name'),
    drop: text(row, 'drop'),
    create: listOf(row),
  }));
}

function listOf(row: Row): readonly string[] {
  const list: unknown = JSON.parse(text(row, 'create'));
  return Array.isArray(list) ? list.map((each) => onOneLine(String(each)).replace(/;\s*$/, '')) : [];
}

/** Puts a statement on one line, because messages lose line breaks. Escapes the line breaks in string literals. */
function onOneLine(sql: string): string {
  return sql.trim().replaceAll(/E?'(?:[^']|'')*'|"(?:[^"]|"")*"|\s+/g, (part) => {
    if (part.startsWith('"')) return part;
    if (!part.endsWith("'")) return ' ';
    if (!part.includes('\n')) return part;
    const escaped = part.startsWith('E') ? part : `E${part.replaceAll('\\', '\\\\')}`;
    return escaped.replaceAll('\n', '\\n');
  });
}

// The columns that a view uses are dependencies of its rule _RETURN, so the query goes from the column to rules, and
// from a view's rule to the rules that depend on that view. Other rules of tables and views are results themselves.
const dependentsQuery = `
  WITH RECURSIVE needing AS (
    SELECT r.oid AS rule, r.ev_class AS relation, r.rulename, 1 AS depth
    FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(quote_ident($1)) AND d.deptype = 'n'
      AND ($2::text IS NULL OR d.refobjsubid = 0 OR d.refobjsubid = (
        SELECT attnum FROM pg_attribute WHERE attrelid = d.refobjid AND attname = $2))
    UNION
    SELECT r.oid, r.ev_class, r.rulename, n.depth + 1
    FROM needing n JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = n.relation
      JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE n.rulename = '_RETURN' AND d.deptype = 'n' AND r.ev_class <> n.relation AND n.depth < 50
  ), views AS (
    SELECT relation, max(depth) AS depth FROM needing WHERE rulename = '_RETURN' GROUP BY relation
  ), named AS (
    SELECT c.oid, v.depth, c.reloptions, c.relacl, c.relowner, c.oid::regclass::text AS name,
           CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END AS what
    FROM views v JOIN pg_class c ON c.oid = v.relation
  )
  SELECT depth, what, name, format('DROP %s %s', upper(what), name) AS drop,
         to_json(ARRAY(SELECT statement FROM (
           SELECT 1 AS place, format('CREATE %s %s%s AS %s', upper(what), name,
             ' WITH (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(oid)) AS statement
           UNION ALL SELECT 2, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = named.oid
           UNION ALL SELECT 3, pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = named.oid AND rulename <> '_RETURN'
           UNION ALL SELECT 4, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = named.oid AND NOT tgisinternal
           UNION ALL SELECT 5, format('ALTER %s %s OWNER TO %s', upper(what), name, relowner::regrole)
             WHERE relowner::regrole::text <> quote_ident(current_user)
           UNION ALL SELECT 6, format('GRANT %s ON %s TO %s', string_agg(privilege_type, ', ' ORDER BY privilege_type), name,
               CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
             FROM aclexplode(relacl) WHERE grantee <> relowner GROUP BY grantee
         ) AS statements ORDER BY place, statement))::text AS create
  FROM named
  UNION ALL
  SELECT 1000, 'rule', format('%s of %s', r.rulename, r.ev_class::regclass), format('DROP RULE %I ON %s', r.rulename, r.ev_class::regclass),
         to_json(ARRAY[pg_get_ruledef(r.oid)])::text
  FROM needing n JOIN pg_rewrite r ON r.oid = n.rule
  WHERE n.rulename <> '_RETURN' AND NOT EXISTS (SELECT FROM views v WHERE v.relation = r.ev_class)
  ORDER BY 1, 3`;
