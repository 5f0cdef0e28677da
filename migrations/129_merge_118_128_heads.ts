import type { Migration } from '../src/migration/migration.ts';

export const revision = '129_merge_118_128_heads';
export const parents: readonly string[] = ['118_add_role_hidden_module_ids', '128_add_invoices_zugferd_pdf'];

/** Merges 118_add_role_hidden_module_ids and 128_add_invoices_zugferd_pdf. */
export const up: Migration = async () => {};
