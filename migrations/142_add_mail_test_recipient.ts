import type { Migration } from '../src/migration/migration.ts';

/** Adds the recipient of test mails to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'mail_test_recipient', 'VARCHAR(255)');
};
