import type { Migration } from '../src/migration/migration.ts';

export const revision = '136_seed_overtime_leave_type';
export const parents: readonly string[] = ['135_remind_to_log'];

/** Adds the leave type for overtime that is taken as paid leave, unless there is one of its code. */
export const up: Migration = async ({ context: schema }) => {
  if (!schema.hasTable('leave_types')) return;
  await schema.run(`
    INSERT INTO leave_types (name, code, is_paid, enabled, created_at, updated_at)
    SELECT 'Overtime', 'overtime', TRUE, TRUE, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP
    WHERE NOT EXISTS (SELECT 1 FROM leave_types WHERE code = 'overtime')`);
};
