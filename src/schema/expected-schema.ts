import type { Engine } from '../model/engine.ts';
import type { Catalog } from '../model/catalog.ts';
import type { Question } from '../model/database-facts.ts';
import type { SeedRows } from '../migration/baseline.ts';
import type { ExpectedSchema } from './row-questions.ts';

/**
 * The catalog of the last revision, as the migrations of this release create it in an empty database
 * (`npm run release:write` writes it, and a test compares it with the migrations).
 */
export async function loadHead(engine: Engine): Promise<Catalog> {
  switch (engine) {
    case 'postgresql':
      return (await import('./head.postgresql.json', { with: { type: 'json' } })).default;
    case 'sqlite':
      return (await import('./head.sqlite.json', { with: { type: 'json' } })).default;
  }
}

/** Loads the catalog of the last revision, its statements and its seed rows. */
export async function loadExpectedSchema(engine: Engine): Promise<ExpectedSchema> {
  const [head, statements, seed] = await Promise.all([loadHead(engine), loadStatements(engine), loadSeed()]);
  return { head, statements, seed };
}

/** The statements of the tables in a new SQLite database, as `statementsByTable` returns them. */
async function loadStatements(engine: Engine): Promise<Question['statements']> {
  return engine === 'postgresql'
    ? undefined
    : (await import('./statements.sqlite.json', { with: { type: 'json' } })).default;
}

/** The rows that the migrations insert into an empty database, the same on both engines. Written with the catalogs. */
export async function loadSeed(): Promise<SeedRows> {
  return (await import('./seed.json', { with: { type: 'json' } })).default;
}
