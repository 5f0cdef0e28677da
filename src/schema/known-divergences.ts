/**
 * Columns that differ between releases: the scripts that add or rename them were changed after a release, and a later
 * revision made all databases equal again. Until that revision is applied, both forms are correct.
 */
interface DivergentColumns {
  readonly table: string;
  readonly columns: readonly string[];
  /** The later revision, which adds or renames the columns if that was not done before. */
  readonly resolvedBy: string;
}

const divergentColumns: readonly DivergentColumns[] = [
  // missing in revision 048 of releases 3.10.3, 4.0.1 and 4.3.2
  {
    table: 'clients',
    columns: ['portal_issues_enabled'],
    resolvedBy: '096_add_missing_portal_issues_enabled',
  },
  // missing in revision 077 of release 4.3.2
  { table: 'users', columns: ['ui_show_issues'], resolvedBy: '095_add_missing_ui_show_issues' },
  // revision 051 of releases 4.0.1 and 4.3.2 creates them all; today's 051 leaves them to three later revisions
  { table: 'quotes', columns: ['template_id'], resolvedBy: '102_add_missing_quotes_template_id' },
  { table: 'quotes', columns: ['offer_number', 'quote_number'], resolvedBy: '103_add_missing_quotes_quote_number' },
  {
    table: 'quotes',
    columns: ['subtotal', 'tax_amount', 'visible_to_client'],
    resolvedBy: '104_add_missing_quotes_columns',
  },
];

/** Whether a column may be present or missing in a database with these revisions applied. */
export function isKnownDivergence(table: string, column: string, applied: ReadonlySet<string>): boolean {
  return divergentColumns.some(
    (each) => each.table === table && each.columns.includes(column) && !applied.has(each.resolvedBy),
  );
}

/** A constraint that is expected on SQLite, and the different one that is expected on PostgreSQL. */
interface DivergentConstraint {
  readonly table: string;
  readonly onSqlite: string;
  readonly onPostgres: string;
}

const divergentConstraints: readonly DivergentConstraint[] = [
  // revision 043 leaves SQLite as it is; the application works with both
  { table: 'kanban_columns', onSqlite: 'UNIQUE (key)', onPostgres: 'UNIQUE (key, project_id)' },
];

/**
 * The constraint that is accepted on SQLite instead of the expected one: a database that was converted from
 * PostgreSQL has it. Null if there is none.
 */
export function acceptedAlternative(table: string, expected: string): string | null {
  const found = divergentConstraints.find((rule) => rule.table === table && rule.onSqlite === expected);
  return found?.onPostgres ?? null;
}
