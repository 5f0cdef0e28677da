/** The exports of a migration file. */
export interface WrittenMigration {
  /** The file's name, e.g. `001_initial_schema.ts`. */
  readonly file: string;
  readonly id: string;
  readonly parents: readonly string[];
}

/** Reads the exports of a migration other than `up`. @throws Error if the file has another form */
export function readMigration(file: string, text: string): WrittenMigration {
  const id = /^export const revision = '([^']+)';$/m.exec(text)?.[1];
  const parents = /^export const parents: readonly string\[\] = \[([^\]]*)\];$/m.exec(text)?.[1];
  if (id === undefined || parents === undefined) throw new Error(`${file} does not export its revision and parents`);
  return { file, id, parents: [...parents.matchAll(/'([^']+)'/g)].map(([, parent = '']) => parent) };
}

/**
 * Sorts migrations by the order of application. Existing revisions keep their order, which is Alembic's and does not
 * follow from the graph alone. New ones come after their parents, sorted by file name.
 * @param former the identifiers in their order until now
 * @throws Error if a parent is missing
 */
export function inOrder(migrations: readonly WrittenMigration[], former: readonly string[]): WrittenMigration[] {
  const rank = new Map(former.map((id, index) => [id, index]));
  const open = migrations.toSorted(
    (a, b) => (rank.get(a.id) ?? former.length) - (rank.get(b.id) ?? former.length) || (a.file < b.file ? -1 : 1),
  );
  const placed = new Set<string>();
  const ordered: WrittenMigration[] = [];
  while (open.length > 0) {
    const next = open.find(({ parents }) => parents.every((parent) => placed.has(parent)));
    if (next === undefined) throw new Error(`a parent is missing of: ${open.map(({ id }) => id).join(', ')}`);
    open.splice(open.indexOf(next), 1);
    placed.add(next.id);
    ordered.push(next);
  }
  return ordered;
}

/** The text of migrations/graph.ts. */
export function renderGraph(migrations: readonly WrittenMigration[]): string {
  const lines = migrations.map(({ file, id, parents }) => {
    const names = parents.map((parent) => `'${parent}'`).join(', ');
    return `  { id: '${id}', parents: [${names}], load: () => import('./${file}') },`;
  });
  return [
    "import type { Revision } from '../src/migration/graph.ts';",
    '',
    '/**',
    " * Every revision of TimeTracker's schema with its parents, in the order in which they are applied to an empty",
    ' * database. The module of a revision is loaded only when it is applied. Therefore the ids and parents that the',
    ' * modules export are repeated here. `npm run release:write` writes this file.',
    ' */',
    'export const revisions: readonly Revision[] = [',
    ...lines,
    '];',
    '',
  ].join('\n');
}
