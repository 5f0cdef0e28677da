import type { Migration } from '../src/migration/migration.ts';

export const revision = '033_add_email_settings';
export const parents: readonly string[] = ['032_add_api_tokens'];

/** Adds the mail server to the settings. Sending is off until somebody configures it. */
export const up: Migration = async ({ context: schema }) => {
  const added = await schema.addColumns('settings', {
    mail_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    mail_server: 'VARCHAR(255)',
    mail_port: 'INTEGER',
    mail_use_tls: 'BOOLEAN',
    mail_use_ssl: 'BOOLEAN',
    mail_username: 'VARCHAR(255)',
    mail_password: 'VARCHAR(255)',
    mail_default_sender: 'VARCHAR(255)',
  });
  if (!added.includes('mail_enabled')) return;
  await schema.run(`
    UPDATE settings SET
      mail_server = coalesce(mail_server, ''),
      mail_port = coalesce(mail_port, 587),
      mail_use_tls = coalesce(mail_use_tls, TRUE),
      mail_use_ssl = coalesce(mail_use_ssl, FALSE),
      mail_username = coalesce(mail_username, ''),
      mail_password = coalesce(mail_password, ''),
      mail_default_sender = coalesce(mail_default_sender, '')`);
  await schema.dropDefault('settings', 'mail_enabled');
};
