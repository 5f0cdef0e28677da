import type { Migration } from '../src/migration/migration.ts';

export const revision = '114_enhance_audit_logs_timeentry';
export const parents: readonly string[] = ['113_add_invoice_buyer_reference'];

/** Adds the reason of a change, and the full state before and after it, to the audit log. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('audit_logs', {
    reason: 'TEXT',
    entity_metadata: schema.engine === 'postgresql' ? 'JSON' : 'TEXT',
    full_old_state: 'TEXT',
    full_new_state: 'TEXT',
  });
};
