import type { Migration } from '../src/migration/migration.ts';

export const revision = '159_add_quote_number_settings';
export const parents: readonly string[] = ['158_add_workday_sessions_and_hour_limits'];

/** Adds the numbering of quotes to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    quote_prefix: "VARCHAR(50) NOT NULL DEFAULT 'QUO'",
    quote_number_pattern: "VARCHAR(120) NOT NULL DEFAULT '{PREFIX}-{YYYY}{MM}{DD}-{SEQ}'",
    quote_start_number: 'INTEGER NOT NULL DEFAULT 1',
  });
};
