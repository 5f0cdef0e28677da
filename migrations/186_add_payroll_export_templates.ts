import type { Migration } from '../src/migration/migration.ts';

export const revision = '186_add_payroll_export_templates';
export const parents: readonly string[] = ['185_add_pomodoro_user_defaults'];

/** Creates templates of payroll exports. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('payroll_export_templates', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(120) NOT NULL UNIQUE',
    columns: 'JSON NOT NULL',
    grouping: "VARCHAR(20) NOT NULL DEFAULT 'week'",
    filters: 'JSON',
    format: "VARCHAR(10) NOT NULL DEFAULT 'csv'",
    delimiter: "VARCHAR(5) NOT NULL DEFAULT ','",
    is_default: 'BOOLEAN NOT NULL DEFAULT FALSE',
    is_builtin: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
};
