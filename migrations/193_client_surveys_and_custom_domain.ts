import type { Migration } from '../src/migration/migration.ts';

export const revision = '193_client_surveys_and_custom_domain';
export const parents: readonly string[] = ['192_add_ai_routing_strategy'];

/** Creates surveys of clients, and adds custom domains to clients and the settings, without values. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('client_surveys', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id) ON DELETE CASCADE',
    project_id: 'INTEGER REFERENCES projects(id) ON DELETE SET NULL',
    invoice_id: 'INTEGER REFERENCES invoices(id) ON DELETE SET NULL',
    trigger: 'VARCHAR(40) NOT NULL',
    token: 'VARCHAR(64) NOT NULL',
    nps_score: 'INTEGER',
    comment: 'TEXT',
    sent_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    responded_at: 'TIMESTAMP',
    expires_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('client_surveys', ['client_id'], { name: 'ix_client_surveys_client_id' });
  await schema.addIndex('client_surveys', ['invoice_id'], { name: 'ix_client_surveys_invoice_id' });
  await schema.addIndex('client_surveys', ['project_id'], { name: 'ix_client_surveys_project_id' });
  await schema.addIndex('client_surveys', ['token'], { name: 'ix_client_surveys_token', unique: true });
  await schema.addIndex('client_surveys', ['trigger'], { name: 'ix_client_surveys_trigger' });

  await schema.addColumn('clients', 'custom_domain', 'VARCHAR(255)');
  await schema.addIndex('clients', ['custom_domain'], { name: 'ix_clients_custom_domain', unique: true });
  await schema.addColumn('settings', 'portal_allowed_custom_domains', 'BOOLEAN');
};
