import type { Migration } from '../src/migration/migration.ts';

export const revision = '197_phase4_gdpr_and_governance';
export const parents: readonly string[] = ['196_add_einvoice_address_and_vat_category'];

/**
 * Adds the time at which a user was erased, the kind of object that custom fields belong to (clients for existing
 * ones), and a second approval of timesheets.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('custom_field_definitions', 'entity_type', "VARCHAR(30) NOT NULL DEFAULT 'client'");
  await schema.addColumns('timesheet_periods', {
    secondary_approved_by:
      'INTEGER CONSTRAINT fk_timesheet_periods_secondary_approved_by_users REFERENCES users(id) ON DELETE SET NULL',
    secondary_approved_at: 'TIMESTAMP',
  });
  await schema.addColumn('users', 'anonymized_at', 'TIMESTAMP');
};
