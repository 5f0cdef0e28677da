import type { Session } from '../database/session.ts';
import { openSchema } from '../migration/schema.ts';
import type { Catalog, Table } from '../schema/catalog.ts';
import type { Difference } from '../schema/comparison.ts';

/**
 * Adds what a database lacks of its revision, as far as that is safe: nothing that is there is changed or removed.
 * To be called within a transaction; a rule that the data do not satisfy fails, and takes the transaction with it.
 * @returns what was mended; the rest is left to verification
 */
export async function mend(
  session: Session,
  differences: readonly Difference[],
  head: Catalog,
): Promise<readonly Difference[]> {
  const schema = await openSchema(session);
  const mended: Difference[] = [];
  for (const difference of differences) {
    switch (difference.kind) {
      case 'missing-constraint':
        await schema.addConstraint(difference.table, difference.name, difference.definition);
        mended.push(difference);
        break;
      case 'missing-index':
        await schema.run(createIndex(difference.table, difference.name, difference.definition, schema.engine));
        mended.push(difference);
        break;
      case 'invalid-index':
        await schema.run(`DROP INDEX ${quote(difference.name)}`);
        await schema.run(createIndex(difference.table, difference.name, definitionOf(head, difference), schema.engine));
        mended.push(difference);
        break;
      case 'missing-table':
      case 'missing-column':
      case 'missing-enum':
      case 'different-type':
      case 'must-be-not-null':
      case 'must-be-nullable':
        break;
    }
  }
  await schema.flush();
  return mended;
}

function createIndex(table: string, name: string, definition: string, engine: Session['engine']): string {
  const unique = definition.startsWith('UNIQUE ') ? 'UNIQUE ' : '';
  const rest = definition.slice(unique.length);
  const body = engine === 'sqlite' ? rest.replace(/^\w+ /, '') : `USING ${rest}`;
  return `CREATE ${unique}INDEX ${quote(name)} ON ${quote(table)} ${body}`;
}

function definitionOf(head: Catalog, { table, name }: { table: string; name: string }): string {
  const promised: Table | undefined = head.tables[table];
  const definition = promised?.indexes[name]?.definition;
  if (definition === undefined) throw new Error(`no promise of an index ${name}`);
  return definition;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
