/** Findings about rows that violate a constraint: the file is not damaged, and old databases have such rows. */
const notDamage = /^(NULL value in|CHECK constraint failed in) /;

/** The first damage among the findings of `PRAGMA integrity_check` or `quick_check`; null if there is none. */
export function firstDamage(findings: readonly string[]): string | null {
  return findings.find((finding) => finding !== 'ok' && !notDamage.test(finding)) ?? null;
}
