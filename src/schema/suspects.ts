import type { Catalog, Table } from '../model/catalog.ts';
import type { SuspectTable } from '../model/trial.ts';
import type { HealthFacts } from '../model/database-facts.ts';

/**
 * Finds the tables of the application that bear objects of the owner's which may refuse every row, though their
 * definition does not tell: triggers, checks, indexes over expressions, columns with a default or a generated value.
 * Empty for most databases. Pure.
 */
export function findSuspects(head: Catalog, { catalog, runtime }: HealthFacts): readonly SuspectTable[] {
  // creating a temporary table would run an event trigger
  if (runtime.attachments.some(({ what }) => what === 'event trigger')) return [];
  return Object.entries(head.tables).flatMap(([table, expected]) => {
    const found = catalog.tables[table];
    if (found === undefined || found.unreadable === true) return [];
    const triggers = runtime.attachments
      .filter((attachment) => attachment.table === table && attachment.what === 'trigger' && !attachment.refuses)
      .map(({ name }) => name);
    const objects = [...triggers, ...ownExpressions(expected, found)];
    return objects.length === 0 ? [] : [{ table, columns: found.columns, objects }];
  });
}

/** Names of checks, indexes over expressions and columns with a value of their own that the revision does not make. */
function ownExpressions(expected: Table, found: Table): readonly string[] {
  const own = <Item>(
    items: Readonly<Record<string, Item>>,
    known: object,
    matches: (item: Item) => boolean,
  ): string[] =>
    Object.entries(items).flatMap(([name, item]) => (!Object.hasOwn(known, name) && matches(item) ? [name] : []));
  return [
    ...own(found.constraints, expected.constraints, (rule) => rule.startsWith('CHECK') && /\w\(/.test(rule)),
    ...own(found.indexes, expected.indexes, ({ definition }) => /\(.*\(| WHERE /.test(definition)),
    ...(found.columns === expected.columns
      ? []
      : own(found.columns, expected.columns, (column) => column.default !== null && column.default !== 'identity')),
  ];
}
