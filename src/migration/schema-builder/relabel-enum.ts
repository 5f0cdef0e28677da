import { quoteName, quoteText } from '../../platform/sql-quoting.ts';
import { findCaseVariants } from '../../schema/comparison.ts';

/** A column of the enum type, or of an array of it, with its default as the catalog prints it. */
export interface EnumColumn {
  readonly table: string;
  readonly column: string;
  /** Whether the column holds arrays of labels. */
  readonly list: boolean;
  readonly default: string | null;
}

/**
 * The statements that give an enum type the expected labels if it has the same labels in another case. Rows and
 * defaults follow; other labels stay, because rows may hold them. Pure.
 *
 * If the expected label is missing, the variant is renamed: rows and defaults hold the oid of the label, so nothing is
 * rewritten, and views and indexes stay. If both exist, the type is replaced by one without the variant.
 */
export function relabelEnum(
  name: string,
  found: readonly string[],
  expected: readonly string[],
  columns: readonly EnumColumn[],
): readonly string[] {
  const variants = findCaseVariants(found, expected);
  const targets = [...variants.values()];
  const clash = targets.some((target, index) => found.includes(target) || targets.indexOf(target) !== index);
  if (clash) return exchangeEnum(name, [...found, ...expected], expected, columns);
  const renamed = found.map((label) => variants.get(label) ?? label);
  return [
    ...[...variants].map(
      ([label, target]) => `ALTER TYPE ${quoteName(name)} RENAME VALUE ${quoteText(label)} TO ${quoteText(target)}`,
    ),
    ...addLabels(name, renamed, expected),
  ];
}

/** The statements that add the missing labels of a type, each at its position. */
function addLabels(name: string, found: readonly string[], expected: readonly string[]): readonly string[] {
  return expected.flatMap((label, index) => {
    if (found.includes(label)) return [];
    const former = expected[index - 1];
    const first = found[0];
    const before = first === undefined ? '' : ` BEFORE ${quoteText(first)}`;
    const place = former === undefined ? before : ` AFTER ${quoteText(former)}`;
    return [`ALTER TYPE ${quoteName(name)} ADD VALUE ${quoteText(label)}${place}`];
  });
}

function exchangeEnum(
  name: string,
  found: readonly string[],
  expected: readonly string[],
  columns: readonly EnumColumn[],
): readonly string[] {
  const variants = findCaseVariants(found, expected);
  const others = found.filter((label) => !variants.has(label) && !expected.includes(label));
  const former = `${name}_before`;
  return [
    `ALTER TYPE ${quoteName(name)} RENAME TO ${quoteName(former)}`,
    `CREATE TYPE ${quoteName(name)} AS ENUM (${[...expected, ...others].map(quoteText).join(', ')})`,
    ...columns.flatMap((column) => exchangeType(name, column, variants)),
    `DROP TYPE ${quoteName(former)}`,
  ];
}

function exchangeType(name: string, column: EnumColumn, variants: ReadonlyMap<string, string>): readonly string[] {
  const alter = `ALTER TABLE ${quoteName(column.table)} ALTER COLUMN ${quoteName(column.column)}`;
  const type = quoteName(name) + (column.list ? '[]' : '');
  const text = `${quoteName(column.column)}::text${column.list ? '[]' : ''}`;
  const value = [...variants].reduce(
    (inner, [label, target]) =>
      column.list
        ? `array_replace(${inner}, ${quoteText(label)}, ${quoteText(target)})`
        : `CASE ${text} WHEN ${quoteText(label)} THEN ${quoteText(target)} ELSE ${inner} END`,
    text,
  );
  const change = `${alter} TYPE ${type} USING (${value})::${type}`;
  if (column.default === null) return [change];
  return [`${alter} DROP DEFAULT`, change, `${alter} SET DEFAULT ${relabelDefault(column.default, name, variants)}`];
}

/** A default with the new labels: `'PENDING'::approvalstatus` becomes `'pending'::approvalstatus`. */
function relabelDefault(expression: string, name: string, variants: ReadonlyMap<string, string>): string {
  return expression.replaceAll(`${name}_before`, name).replaceAll(/'(?:[^']|'')*'/g, (literal) => {
    const target = variants.get(literal.slice(1, -1).replaceAll("''", "'"));
    return target === undefined ? literal : quoteText(target);
  });
}
