import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';
import type { Migration } from '../../../src/migration/migration.ts';
import type { RevisionFacts } from '../facts.ts';
import { readMigration, type WrittenMigration } from '../graph-file.ts';

/** The files of the project that an import reads and writes. */
export interface Project {
  read(file: string): string;
  has(file: string): boolean;
  /** Formats the text and replaces a file atomically: an interrupted run leaves the former or the new file. */
  write(file: string, text: string): Promise<void>;
  /** The existing migrations, in no order. */
  migrations(): readonly WrittenMigration[];
  /** The identifiers in migrations/graph.ts, in the order of application. */
  order(): readonly string[];
  /** Loads the function `up` from the text of a migration. */
  load(text: string): Promise<{ readonly up: Migration }>;
  readFacts(engine: 'postgres' | 'sqlite'): readonly RevisionFacts[];
  writeFacts(engine: 'postgres' | 'sqlite', facts: readonly RevisionFacts[]): void;
}

/** @param root the folder of the tree */
export function openProject(root: string): Project {
  const at = (file: string): string => join(root, file);
  const read = (file: string): string => readFileSync(at(file), 'utf8');
  const replace = (file: string, content: string | Buffer): void => {
    mkdirSync(dirname(at(file)), { recursive: true });
    writeFileSync(at(`${file}.part`), content);
    renameSync(at(`${file}.part`), at(file));
  };
  const factsFile = (engine: string): string => `test/fixtures/history/${engine}.json.gz`;
  return {
    read,
    has: (file) => existsSync(at(file)),
    write: async (file, text) =>
      replace(file, await format(text, { ...(await resolveConfig('migrations/graph.ts')), filepath: file })),
    migrations: () =>
      readdirSync(at('migrations'))
        .filter((file) => file.endsWith('.ts') && file !== 'graph.ts')
        .map((file) => readMigration(file, read(`migrations/${file}`))),
    order: () => [...read('migrations/graph.ts').matchAll(/\bid: '([^']+)'/g)].map(([, id = '']) => id),
    async load(text) {
      const name = createHash('sha256').update(text).digest('hex').slice(0, 16);
      const outfile = join(cache, `migration-${name}.mjs`);
      await build({
        stdin: { contents: text, resolveDir: at('migrations'), loader: 'ts' },
        outfile,
        bundle: true,
        format: 'esm',
        platform: 'node',
        packages: 'external',
        logLevel: 'silent',
      });
      const module: unknown = await import(pathToFileURL(outfile).href);
      if (!isMigration(module)) throw new Error('the file exports no migration');
      return module;
    },
    readFacts(engine) {
      const facts: unknown = JSON.parse(gunzipSync(readFileSync(at(factsFile(engine)))).toString('utf8'));
      if (!isFacts(facts)) throw new TypeError(`${factsFile(engine)} is no history`);
      return facts;
    },
    writeFacts: (engine, facts) => replace(factsFile(engine), gzipSync(JSON.stringify(facts), { level: 9 })),
  };
}

// The tools run as a bundle in node_modules/.cache/db-init, the tests from scripts/release/import: both three levels deep.
const cache = fileURLToPath(new URL('../../../node_modules/.cache/db-init', import.meta.url));

const isMigration = (module: unknown): module is { readonly up: Migration } =>
  typeof module === 'object' && module !== null && 'up' in module && typeof module.up === 'function';

// The file belongs to this project, so its content is not checked further.
const isFacts = (value: unknown): value is readonly RevisionFacts[] =>
  Array.isArray(value) &&
  value.every((entry) => typeof entry === 'object' && entry !== null && 'revision' in entry && 'changes' in entry);
