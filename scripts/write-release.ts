/**
 * Writes everything that follows from the migrations and from src/releases.ts: the graph, the catalogs, the rows of an
 * empty database, docs/releases.md, the places that mention release, heads or the number of revisions, and the
 * pictures of terminals. Run it as `npm run release:write` after a change of either; tests check every file.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { execaSync } from 'execa';
import packageJson from '../package.json' with { type: 'json' };
import { revisions as former } from '../migrations/graph.ts';
import { createGraph } from '../src/migration/graph.ts';
import { currentRelease, releases } from '../src/releases.ts';
import { inOrder, readMigration, renderGraph } from './release/graph-file.ts';
import { filesWithMentions, renderReleases, writeMentions } from './release/mentions.ts';

const read = (file: string): string => readFileSync(file, 'utf8');

const migrations = readdirSync('migrations')
  .filter((file) => file.endsWith('.ts') && file !== 'graph.ts')
  .map((file) => readMigration(file, read(`migrations/${file}`)));
const ordered = inOrder(
  migrations,
  former.map(({ id }) => id),
);
writeFileSync('migrations/graph.ts', renderGraph(ordered));

const unloaded = (): Promise<never> => Promise.reject(new Error('the order is all that is asked for'));
const { heads } = createGraph(ordered.map(({ id, parents }) => ({ id, parents, load: unloaded })));
if (heads.toSorted().join() !== currentRelease.heads.toSorted().join()) {
  throw new Error(
    `src/releases.ts says that ${currentRelease.to} is at ${currentRelease.heads.join(', ')}; the migrations end at ${heads.join(', ')}`,
  );
}
const facts = { version: packageJson.version, release: currentRelease.to, heads, revisions: ordered.length };
writeFileSync('docs/releases.md', renderReleases(releases, facts));
for (const file of filesWithMentions) writeFileSync(file, writeMentions(read(file), facts));

const runProgram = (program: string, ...args: readonly string[]): unknown =>
  execaSync(program, args, { stdio: 'inherit' });
runProgram('node', 'scripts/run-ts.mjs', 'scripts/write-catalogs.ts');
runProgram('node', 'scripts/run-ts.mjs', 'scripts/write-statements.ts');
runProgram(
  'npx',
  'prettier',
  '--write',
  '--log-level',
  'warn',
  'migrations/graph.ts',
  'src/schema/*.json',
  'docs/*.md',
);
// the printed texts contain the head
runProgram('npm', 'run', 'docs:record');
