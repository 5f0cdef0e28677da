import type { Engine } from '../model/engine.ts';
import type { Catalog } from '../model/catalog.ts';
import type { SeedRows } from '../migration/baseline.ts';
import type { ExpectedSchema } from './faults.ts';

/**
 * The catalog that the last revision promises, as this release's own migrations make it from nothing
 * (`npm run release:write` writes it, a test holds the migrations to it).
 */
export async function loadHead(engine: Engine): Promise<Catalog> {
  switch (engine) {
    case 'postgresql':
      return (await import('./head.postgresql.json', { with: { type: 'json' } })).default;
    case 'sqlite':
      return (await import('./head.sqlite.json', { with: { type: 'json' } })).default;
  }
}

/** Everything that the last revision promises. */
export async function loadExpectedSchema(engine: Engine): Promise<ExpectedSchema> {
  const [head, seed] = await Promise.all([loadHead(engine), loadSeed()]);
  return { head, seed };
}

/** The rows that the migrations leave in an empty database; the same on both engines. Written along with the catalogs. */
export async function loadSeed(): Promise<SeedRows> {
  return (await import('./seed.json', { with: { type: 'json' } })).default;
}
