import type { DatabaseFacts } from '../model/database-facts.ts';
import { sequenceOf } from '../migration/schema-builder/catalog-sql.ts';
import { parseRule } from './constraint-rules.ts';

/** PostgreSQL allows names of 63 bytes; this leaves space for a number. */
const longest = 60;

/** Allocates names for added objects, because other objects may have the expected names. */
export interface NameAllocator {
  /** Returns a name for a table, index or sequence: the wanted name, or that name with a number if it is taken. */
  claim(name: string): string;
  /** Returns a name for a constraint; the name of a key must also be free as the name of an index. */
  claimRule(table: string, name: string, definition: string): string;
  release(name: string): void;
}

/** Creates the allocator for the names that are free in a database. Each claim takes one. */
export function createNameAllocator({ relations, catalog }: DatabaseFacts): NameAllocator {
  const tables = Object.entries(catalog.tables);
  const taken = new Set([
    ...relations.map(({ name }) => name),
    ...tables.flatMap(([, { indexes }]) => Object.keys(indexes)),
    ...tables.flatMap(([, { constraints }]) =>
      Object.entries(constraints).flatMap(([name, rule]) => (parseRule(rule).kind === 'unique' ? [name] : [])),
    ),
    // the catalog does not list owned sequences as relations
    ...tables.flatMap(([, { columns }]) =>
      Object.values(columns)
        .map((column) => sequenceOf(column.default))
        .filter((name) => name !== null),
    ),
  ]);
  const rules = new Map(tables.map(([table, { constraints }]) => [table, new Set(Object.keys(constraints))]));

  const take = (name: string, sets: readonly Set<string>[]): string => {
    let free = name;
    for (let number = 1; sets.some((set) => set.has(free)); number++) free = `${name.slice(0, longest)}_${number}`;
    for (const set of sets) set.add(free);
    return free;
  };

  return {
    claim: (name) => take(name, [taken]),
    claimRule(table, name, definition) {
      const own = rules.get(table) ?? new Set();
      rules.set(table, own);
      return take(nameOfRule(table, name, definition), parseRule(definition).kind === 'unique' ? [own, taken] : [own]);
    },
    release: (name) => void taken.delete(name),
  };
}

/** An expected constraint without a name (SQLite) gets the name that PostgreSQL would choose. */
function nameOfRule(table: string, name: string, definition: string): string {
  if (name !== definition) return name;
  const rule = parseRule(definition);
  if (rule.kind === 'unique' && rule.primary) return `${table}_pkey`;
  const suffix = { unique: 'key', reference: 'fkey', check: 'check', none: 'rule' }[rule.kind];
  return `${[table, ...rule.columns].join('_').slice(0, longest - 6)}_${suffix}`;
}
