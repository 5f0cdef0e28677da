import { dropForeignKeys } from '../src/migration/foreign-keys.ts';
import type { Migration } from '../src/migration/migration.ts';

/** Lets the notifications of a client, and the preferences for them, go with the client. */
export const up: Migration = async ({ context: schema }) => {
  for (const table of ['client_notifications', 'client_notification_preferences']) {
    await dropForeignKeys(schema, table, 'client_id');
    await schema.addConstraint(
      table,
      `fk_${table}_client_id`,
      'FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE',
    );
  }
};
