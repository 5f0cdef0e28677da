import type { Migration } from '../src/migration/migration.ts';

export const revision = '058';
export const parents: readonly string[] = ['057'];

/** Creates quote_versions, the former states of quotes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('quote_versions', {
    id: 'SERIAL PRIMARY KEY',
    quote_id: 'INTEGER NOT NULL REFERENCES quotes(id) ON DELETE CASCADE',
    version_number: 'INTEGER NOT NULL',
    quote_data: 'TEXT NOT NULL',
    changed_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    changed_at: 'TIMESTAMP NOT NULL',
    change_summary: 'VARCHAR(500)',
    fields_changed: 'VARCHAR(500)',
  });
  await schema.addIndex('quote_versions', ['changed_by'], { name: 'ix_quote_versions_changed_by' });
  await schema.addIndex('quote_versions', ['quote_id'], { name: 'ix_quote_versions_quote_id' });
  await schema.addIndex('quote_versions', ['quote_id', 'version_number'], {
    name: 'ix_quote_versions_version_number',
    unique: true,
  });
};
