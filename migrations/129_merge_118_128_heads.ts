import type { Migration } from '../src/migration/migration.ts';

/** Merges 118_add_role_hidden_module_ids and 128_add_invoices_zugferd_pdf. */
export const up: Migration = async () => {};
