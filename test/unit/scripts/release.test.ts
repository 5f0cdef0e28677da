import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { revisions } from '../../../migrations/graph.ts';
import { inOrder, readMigration } from '../../../scripts/release/graph-file.ts';
import { readHeads, readHistory } from '../../../scripts/release/import/application.ts';
import { isUnfinished } from '../../../scripts/release/import/migration-file.ts';
import { openProject } from '../../../scripts/release/import/project.ts';
import {
  filesWithMentions,
  type ReleaseFacts,
  renderReleases,
  writeMentions,
} from '../../../scripts/release/mentions.ts';
import { addRelease, readReleases } from '../../../scripts/release/releases-file.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { currentRelease, renderRange, releases } from '../../../src/releases.ts';
import { versionFacts, versionText } from '../../../src/report/command-line.ts';

const root = join(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const { heads } = releaseGraph;
const version = /"version": "([^"]+)"/.exec(read('package.json'))?.[1] ?? '';
const facts: ReleaseFacts = { version, release: currentRelease.to, heads, revisions: revisions.length };
const migrations = readdirSync(join(root, 'migrations')).filter((file) => file !== 'graph.ts');

// Whatever fails here is put right by `npm run release:write`.
describe('npm run release:write was run: it', () => {
  it('lists every migration with its exports, in an order that respects the parents', async () => {
    const written = migrations.map((file) => readMigration(file, read(`migrations/${file}`)));
    const ids = revisions.map(({ id }) => id);
    const expected = inOrder(written, ids).map(({ id, parents }) => ({ id, parents }));
    expect(revisions.map(({ id, parents }) => ({ id, parents }))).toEqual(expected);
    for (const { id, load } of revisions) {
      const module: object = await load();
      expect({ revision: Reflect.get(module, 'revision'), id }).toEqual({ revision: id, id });
    }
  });

  it('ends at the heads of the release that src/releases.ts names last', () => {
    expect(currentRelease.heads.toSorted()).toEqual(heads.toSorted());
  });

  it.each(['postgres', 'sqlite'] as const)('has written the facts of every revision for the tests (%s)', (engine) => {
    const told = openProject(root)
      .readFacts(engine)
      .map(({ revision, downRevisions }) => ({ id: revision, parents: downRevisions }));
    expect(told).toEqual(revisions.map(({ id, parents }) => ({ id, parents })));
  });

  it('contains no unfinished migration', () => {
    expect(migrations.filter((file) => isUnfinished(read(`migrations/${file}`)))).toEqual([]);
  });

  it.each([...filesWithMentions])('has brought %s up to date', (file) => {
    expect(read(file)).toBe(writeMentions(read(file), facts));
  });

  it('has brought docs/releases.md up to date', () => {
    const plain = (text: string): string => text.replaceAll(/[ \n-]+/g, ' ');
    expect(plain(read('docs/releases.md'))).toBe(plain(renderReleases(releases, facts)));
  });

  it('has recorded the pictures of terminals again', () => {
    for (const file of readdirSync(join(root, 'docs/images')).filter((name) => name.startsWith('terminal-'))) {
      for (const [, shown] of read(`docs/images/${file}`).matchAll(/healthy and current \(([^)…]+)\)/g)) {
        expect({ file, shown }).toEqual({ file, shown: heads.join(', ') });
      }
    }
  });
});

describe('the release', () => {
  /** Where revisions are what the file is about, and what was true of a former release. */
  const exempt = [
    'src/releases.ts',
    'src/schema',
    'docs/releases.md',
    'docs/history.md',
    'docs/images',
    'test/fixtures',
    'test/integration/migration/data-effects',
  ];
  const files = ['src', 'test', 'docs', 'examples', 'scripts', 'bench', 'docker']
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .concat('README.md', 'CONTRIBUTING.md', 'Dockerfile', '.env.example')
    .filter((file) => !exempt.some((prefix) => file.startsWith(prefix)));

  it('is named by hand in no other file, and neither are its heads and the number of its revisions', () => {
    const other = { version, release: '99.0.0', heads: ['999_other'], revisions: 9999 };
    const named = [currentRelease.to, ...heads, `${revisions.length} revisions`];
    const found = files.flatMap((file) => {
      const text = filesWithMentions.includes(file) ? writeMentions(read(file), other) : read(file);
      return named.filter((name) => text.includes(name)).map((name) => `${file}: ${name}`);
    });
    expect(found).toEqual([]);
  });

  it('is printed by `version`, for people and for programs', () => {
    expect(versionText(version)).toBe(
      `db-init ${version} for TimeTracker ${currentRelease.to} (${heads.join(', ')})\n`,
    );
    expect(versionFacts(version)).toEqual({ version, release: currentRelease.to, heads });
  });

  it.each(releases.map((entry) => [renderRange(entry), entry.heads] as const))(
    'contains the revisions of %s',
    (_name, rows) => {
      for (const row of rows) expect(releaseGraph.knows(row), row).toBe(true);
    },
  );
});

describe('the order of migrations', () => {
  const migration = (id: string, ...parents: string[]) => ({ file: `${id}.ts`, id, parents });

  it('is kept, with new ones after their parents', () => {
    const all = [
      migration('d', 'b', 'c'),
      migration('a'),
      migration('b', 'a'),
      migration('c', 'a'),
      migration('e', 'd'),
    ];
    expect(inOrder(all, ['a', 'c', 'b']).map(({ id }) => id)).toEqual(['a', 'c', 'b', 'd', 'e']);
  });

  it('cannot be found if a parent is missing', () => {
    expect(() => inOrder([migration('b', 'a')], [])).toThrow('a parent is missing of: b');
  });

  it('is not guessed from a file without the exports of a migration', () => {
    expect(() => readMigration('x.ts', "export const revision = 'x';")).toThrow('x.ts does not export');
  });
});

describe("the output of the application's Alembic", () => {
  it('is read as a history in the order of application, without other lines', () => {
    const output = `Starting...
c, d -> e (head) (mergepoint), Both
b (x) -> d, On what it depends as well
b -> c, One
a -> b (branchpoint), Two
<base> -> a, First`;
    expect(readHistory(output).map(({ id, parents }) => [id, parents])).toEqual([
      ['a', []],
      ['b', ['a']],
      ['c', ['b']],
      ['d', ['b', 'x']],
      ['e', ['c', 'd']],
    ]);
    expect(readHeads('INFO  [alembic] x\ne (head)\nf (other) (head)\ng (effective head)\n')).toEqual(['e', 'f', 'g']);
  });
});

describe('src/releases.ts', () => {
  const text = read('src/releases.ts');

  it('is read as what it exports', () => {
    expect(readReleases(text)).toEqual(releases);
  });

  it('extends the last entry for a release without a revision, and gets an entry for a release with one', () => {
    const [same, other] = [addRelease(text, '99.0.0', heads), addRelease(text, '99.0.0', ['x', 'y'])];
    expect(readReleases(same).at(-1)).toEqual({ ...currentRelease, to: '99.0.0' });
    expect(readReleases(same)).toHaveLength(releases.length);
    expect(readReleases(other).slice(0, -1)).toEqual(releases);
    expect(readReleases(other).at(-1)).toEqual({ from: '99.0.0', to: '99.0.0', heads: ['x', 'y'] });
    expect(addRelease(other, '99.0.0', ['x', 'y'])).toBe(other);
  });
});
