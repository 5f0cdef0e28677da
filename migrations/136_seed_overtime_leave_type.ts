import type { Migration } from '../src/migration/migration.ts';

export const revision = '136_seed_overtime_leave_type';
export const parents: readonly string[] = ['135_remind_to_log'];

/** Inserts the leave type for overtime that is taken as paid leave, unless its code exists. */
export const up: Migration = async ({ context: schema }) => {
  await schema.insertMissing(
    'leave_types',
    [['code']],
    [{ name: 'Overtime', code: 'overtime', is_paid: true, enabled: true }],
  );
};
