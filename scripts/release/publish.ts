// Prints what is published with this version, for .github/workflows/release.yml and for a check beforehand:
//   node scripts/run-ts.mjs scripts/release/publish.ts tags ghcr.io/OWNER/db-init
//   node scripts/run-ts.mjs scripts/release/publish.ts labels https://github.com/OWNER/REPOSITORY COMMIT
//   node scripts/run-ts.mjs scripts/release/publish.ts notes
//   node scripts/run-ts.mjs scripts/release/publish.ts version
import { readFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';
import packageJson from '../../package.json' with { type: 'json' };
import { releases } from '../../src/releases.ts';
import { baseOf, imageLabels, imageTags, releaseNotes } from './image.ts';

const [word = '', first = '', second = ''] = argv.slice(2);
const { version } = packageJson;
const current = releases.at(-1);
if (current === undefined) throw new Error('src/releases.ts names no release');
const { to: release, heads } = current;
const read = (file: string): string => readFileSync(file, 'utf8');
stdout.write(`${printed().trimEnd()}\n`);

function printed(): string {
  switch (word) {
    case 'version':
      return version;
    case 'tags':
      return imageTags(requireText(first, 'the name of the image'), { release, version }).join('\n');
    case 'labels': {
      const source = requireText(first, 'the address of the repository');
      const revision = requireText(second, 'the commit');
      const created = new Date().toISOString();
      return imageLabels({ version, release, heads, source, revision, created, base: baseOf(read('Dockerfile')) }).join(
        '\n',
      );
    }
    case 'notes':
      return releaseNotes(read('CHANGELOG.md'), version);
    default:
      throw new Error('say which: tags IMAGE, labels SOURCE COMMIT, notes or version');
  }
}

function requireText(text: string, what: string): string {
  if (text === '') throw new Error(`${what} is missing`);
  return text;
}
