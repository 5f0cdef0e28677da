import type { Migration } from '../src/migration/migration.ts';
import { widenVersionColumn } from '../src/migration/version-column.ts';

export const revision = '091_add_integration_external_event_links';
export const parents: readonly string[] = ['090_report_builder_iteration'];

/** Creates integration_external_event_links. Its own identifier is the first that needs the wide version column. */
export const up: Migration = async ({ context: schema }) => {
  await widenVersionColumn(schema, 255);
  await schema.createTable(
    'integration_external_event_links',
    {
      id: 'SERIAL PRIMARY KEY',
      integration_id: 'INTEGER NOT NULL REFERENCES integrations(id) ON DELETE CASCADE',
      time_entry_id: 'INTEGER NOT NULL REFERENCES time_entries(id) ON DELETE CASCADE',
      external_uid: 'VARCHAR(255) NOT NULL',
      external_href: 'VARCHAR(500)',
      created_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_integration_external_uid: 'UNIQUE (integration_id, external_uid)',
    },
  );
  await schema.addIndex('integration_external_event_links', ['external_uid'], {
    name: 'ix_integration_external_event_links_external_uid',
  });
  await schema.addIndex('integration_external_event_links', ['integration_id'], {
    name: 'ix_integration_external_event_links_integration_id',
  });
  await schema.addIndex('integration_external_event_links', ['time_entry_id'], {
    name: 'ix_integration_external_event_links_time_entry_id',
  });
};
