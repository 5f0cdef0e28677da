/**
 * What a table is called in which some tool records what it applied, as a regular expression that PostgreSQL and
 * JavaScript read alike. No list of names is ever complete; `alembic_version` is TimeTracker's own and not among them.
 */
export const ledgerPattern =
  'migrat|change_?log|schema_?(info|history|changes?|versions?|revisions?)' +
  '|(^|_)(db|database|app|core)_?versions?$|^(.{1,4}_)?versions?(_info)?$';

/** Whether a table is another tool's ledger, by its name. */
export function isLedger(name: string): boolean {
  return new RegExp(ledgerPattern, 'i').test(name) || otherLedgers.includes(name.toLowerCase());
}

/**
 * Tables in which other migration tools and frameworks record what they applied, in lower case, under names that
 * `ledgerPattern` does not tell.
 */
export const otherLedgers: readonly string[] = [
  'aerich', // Tortoise ORM
  'ar_internal_metadata', // Rails
  'phinxlog',
  'sequelizemeta',
  'typeorm_metadata',
];
