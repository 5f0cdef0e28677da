import type { Migration } from '../src/migration/migration.ts';

export const revision = '105_fix_client_notifications_cascade_delete';
export const parents: readonly string[] = ['104_add_missing_quotes_columns'];

/**
 * Deletes the notifications of a client, and the preferences for them, together with the client (ON DELETE CASCADE).
 */
export const up: Migration = async ({ context: schema }) => {
  for (const table of ['client_notifications', 'client_notification_preferences']) {
    // On SQLite the old foreign key stays beside the new one, as in the application's own databases.
    if (schema.engine === 'postgresql') await schema.dropForeignKeys(table, 'client_id');
    await schema.addConstraint(
      table,
      `fk_${table}_client_id`,
      'FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE',
    );
  }
};
