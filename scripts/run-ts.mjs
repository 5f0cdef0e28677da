// Runs a TypeScript file of the project's tools with Node.js: node scripts/run-ts.mjs FILE [arguments]
import { existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) throw new Error('which file is to be run?');
const folder = fileURLToPath(new URL('../node_modules/.cache/db-init', import.meta.url));
mkdirSync(folder, { recursive: true });
const outfile = join(folder, `${basename(file, '.ts')}.mjs`);
// a deleted migration, which will be written again, fails only when it is loaded
const missingMigrations = {
  name: 'missing-migrations',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/.*\.ts$/ }, ({ path, resolveDir, kind }) =>
      kind === 'dynamic-import' && !existsSync(join(resolveDir, path)) ? { path, external: true } : undefined,
    ),
};
await build({
  entryPoints: [file],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  plugins: [missingMigrations],
});
process.argv = [process.argv[0], file, ...rest];
await import(pathToFileURL(outfile).href);
