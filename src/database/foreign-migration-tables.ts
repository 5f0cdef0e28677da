/**
 * Names of tables in which migration tools record what they applied, as a regular expression that means the same in
 * PostgreSQL and JavaScript. A list of names would never be complete. `alembic_version` is TimeTracker's and excluded.
 */
export const ledgerPattern =
  'migrat|change_?log|schema_?(info|history|changes?|versions?|revisions?)' +
  '|(^|_)(db|database|app|core)_?versions?$|^(.{1,4}_)?versions?(_info)?$';

const ledgerExpression = new RegExp(ledgerPattern, 'i');

/** Whether a table belongs to another migration tool, by its name. */
export function isForeignLedger(name: string): boolean {
  return ledgerExpression.test(name) || furtherLedgers.includes(name.toLowerCase());
}

/** Tables of other migration tools and frameworks that `ledgerPattern` does not match, in lower case. */
export const furtherLedgers: readonly string[] = [
  'aerich', // Tortoise ORM
  'ar_internal_metadata', // Rails
  'phinxlog',
  'sequelizemeta',
  'typeorm_metadata',
];
