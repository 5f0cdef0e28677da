import type { Migration } from '../src/migration/migration.ts';

export const revision = '178_fix_approvalstatus_enum_case';
export const parents: readonly string[] = ['177_add_app_base_url'];

const promised = ['pending', 'approved', 'rejected', 'cancelled'];

/**
 * Changes the states of approvals (labels, rows and default) to lower case in databases in which a build of the
 * application has created them in upper case. Labels other than the four, and rows with them, are kept, in lower case,
 * too. In all other databases, and on SQLite, it does nothing.
 */
export const up: Migration = async ({ context: schema }) => {
  if (schema.engine === 'sqlite') return;
  const rows = await schema.query(`
    SELECT e.enumlabel::text AS label FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
      JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = current_schema() AND t.typname = 'approvalstatus' ORDER BY e.enumsortorder`);
  const labels = rows.map((row) => String(row['label']));
  const lower = labels.map((label) => label.toLowerCase());
  if (labels.every((label, index) => label === lower[index])) return;

  await schema.relabelEnum('approvalstatus', [...new Set([...promised, ...lower])]);
  // set in any case, even if the column had no default
  await schema.setDefault('time_entry_approvals', 'status', "'pending'");
};
