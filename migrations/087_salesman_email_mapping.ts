import type { Migration } from '../src/migration/migration.ts';

export const revision = '087_salesman_email_mapping';
export const parents: readonly string[] = ['086_project_client_attachments'];

/** Creates salesman_email_mappings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'salesman_email_mappings',
    {
      id: 'SERIAL PRIMARY KEY',
      salesman_initial: 'VARCHAR(20) NOT NULL',
      email_address: 'VARCHAR(255)',
      email_pattern: 'VARCHAR(255)',
      domain: 'VARCHAR(255)',
      is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
      notes: 'TEXT',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_salesman_email_mapping_initial: 'UNIQUE (salesman_initial)',
    },
  );
  await schema.addIndex('salesman_email_mappings', ['is_active'], { name: 'ix_salesman_email_mappings_active' });
  await schema.addIndex('salesman_email_mappings', ['salesman_initial'], {
    name: 'ix_salesman_email_mappings_initial',
  });
};
