/**
 * Columns on which releases disagree: the scripts that add or rename them were rewritten after they had been
 * released, and a later revision made databases alike again. Until that one is applied both are right.
 */
interface DisputedColumns {
  readonly table: string;
  readonly columns: readonly string[];
  /** The revision that adds or renames them where that is still to be done. */
  readonly settledBy: string;
}

const disputes: readonly DisputedColumns[] = [
  // not yet in 048 of 3.10.3, 4.0.1 and 4.3.2
  {
    table: 'clients',
    columns: ['portal_issues_enabled'],
    settledBy: '096_add_missing_portal_issues_enabled',
  },
  // not yet in 077 of 4.3.2
  { table: 'users', columns: ['ui_show_issues'], settledBy: '095_add_missing_ui_show_issues' },
  // 051 of 4.0.1 and 4.3.2 makes them all; that of today leaves them to three later revisions
  { table: 'quotes', columns: ['template_id'], settledBy: '102_add_missing_quotes_template_id' },
  { table: 'quotes', columns: ['offer_number', 'quote_number'], settledBy: '103_add_missing_quotes_quote_number' },
  {
    table: 'quotes',
    columns: ['subtotal', 'tax_amount', 'visible_to_client'],
    settledBy: '104_add_missing_quotes_columns',
  },
];

/** Whether it says nothing about a database with these revisions applied that the column is there, or is not. */
export function isKnownDivergence(table: string, column: string, applied: ReadonlySet<string>): boolean {
  return disputes.some(
    (dispute) => dispute.table === table && dispute.columns.includes(column) && !applied.has(dispute.settledBy),
  );
}

/** A rule that SQLite promises and PostgreSQL does not, and the one that PostgreSQL promises in its place. */
interface DisputedRule {
  readonly table: string;
  readonly onSqlite: string;
  readonly onPostgres: string;
}

const disputedRules: readonly DisputedRule[] = [
  // revision 043 leaves SQLite as it is; the application works with both
  { table: 'kanban_columns', onSqlite: 'UNIQUE (key)', onPostgres: 'UNIQUE (key, project_id)' },
];

/** The rule that is as good on SQLite as a promised one: what comes from PostgreSQL keeps it. Null if there is none. */
export function standInFor(table: string, promised: string): string | null {
  const found = disputedRules.find((rule) => rule.table === table && rule.onSqlite === promised);
  return found?.onPostgres ?? null;
}
