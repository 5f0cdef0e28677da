import type { Migration } from '../src/migration/migration.ts';

export const revision = '142_add_mail_test_recipient';
export const parents: readonly string[] = ['141_add_invoice_number_pattern'];

/** Adds the recipient of test mails to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'mail_test_recipient', 'VARCHAR(255)');
};
