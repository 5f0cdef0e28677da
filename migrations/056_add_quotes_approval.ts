import type { Migration } from '../src/migration/migration.ts';

export const revision = '056';
export const parents: readonly string[] = ['055'];

/**
 * Adds the approval to quotes.
 *
 * On SQLite the table also gets the foreign keys of 051, as in the application's databases from this revision on:
 * without the ON DELETE actions that the foreign keys of offers had.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('quotes', {
    approval_status: "VARCHAR(20) NOT NULL DEFAULT 'not_required'",
    approved_by: 'INTEGER',
    approved_at: 'TIMESTAMP',
    rejected_by: 'INTEGER',
    rejection_reason: 'TEXT',
  });
  await schema.addIndex('quotes', ['approval_status'], { name: 'ix_quotes_approval_status' });
  await schema.addIndex('quotes', ['approved_by'], { name: 'ix_quotes_approved_by' });

  const addKey = (column: string, reference: string): Promise<boolean> =>
    schema.addConstraint('quotes', `fk_quotes_${column}`, `FOREIGN KEY (${column}) REFERENCES ${reference}`);
  const onDelete = schema.engine === 'postgresql' ? 'ON DELETE SET NULL' : '';
  await addKey('approved_by', `users(id) ${onDelete}`);
  await addKey('rejected_by', `users(id) ${onDelete}`);
  if (schema.engine === 'postgresql') return;
  const references = { client_id: 'clients', project_id: 'projects', created_by: 'users', accepted_by: 'users' };
  for (const [column, table] of Object.entries(references)) {
    await schema.dropForeignKeys('quotes', column);
    await addKey(column, `${table}(id)`);
  }
};
