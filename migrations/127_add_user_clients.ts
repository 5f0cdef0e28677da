import type { Migration } from '../src/migration/migration.ts';

export const revision = '127_add_user_clients';
export const parents: readonly string[] = ['126_add_overtime_include_weekends'];

/** Creates user_clients, the clients that each user may see. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'user_clients',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
      client_id: 'INTEGER NOT NULL REFERENCES clients(id) ON DELETE CASCADE',
      created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    },
    {
      uq_user_client: 'UNIQUE (user_id, client_id)',
    },
  );
  await schema.addIndex('user_clients', ['client_id'], { name: 'ix_user_clients_client_id' });
  await schema.addIndex('user_clients', ['user_id'], { name: 'ix_user_clients_user_id' });
};
