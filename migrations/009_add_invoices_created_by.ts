import type { Migration } from '../src/migration/migration.ts';

export const revision = '009';
export const parents: readonly string[] = ['008'];

/** Adds the creator to invoices. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('invoices', 'created_by', 'INTEGER');
  // The application's migrations create no such foreign key on SQLite, so this one does not either.
  if (schema.engine === 'postgresql') {
    await schema.addConstraint(
      'invoices',
      'fk_invoices_created_by_users',
      'FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL',
    );
  }
};
