import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../../package.json' with { type: 'json' };
import { baseOf, imageLabels, imageTags, releaseNotes } from '../../../scripts/release/image.ts';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly include: readonly Readonly<Record<string, string>>[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: unknown;
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: { readonly build: Job; readonly publish: Job };
}

describe('a published image', () => {
  const facts = {
    version: '1.2.3',
    release: '9.8.7',
    heads: ['198_a'],
    source: 'https://github.com/owner/repository',
    revision: 'abc',
    created: '2026-11-28T00:00:00.000Z',
    base: baseOf(read('Dockerfile')),
  };

  it('has the tags of the release, of both versions, and latest', () => {
    expect(imageTags('ghcr.io/owner/db-init', facts)).toEqual([
      'ghcr.io/owner/db-init:9.8.7-1.2.3',
      'ghcr.io/owner/db-init:9.8.7',
      'ghcr.io/owner/db-init:latest',
    ]);
  });

  it('names its origin in all labels of OCI that apply', () => {
    const labels = imageLabels(facts);
    const names = [
      'title',
      'version',
      'source',
      'url',
      'documentation',
      'revision',
      'created',
      'base.name',
      'licenses',
    ];
    for (const name of names) {
      const line = labels.find((label) => label.startsWith(`org.opencontainers.image.${name}=`)) ?? '';
      expect(line.split('=')[1], name).not.toBe('');
      expect(line, name).not.toBe('');
    }
    expect(labels).toContain('org.opencontainers.image.base.name=docker.io/library/node:24-trixie-slim');
    expect(labels).toContain('org.timetracker.release=9.8.7');
  });

  it('has the section of its version as notes, and no other section', () => {
    const changelog =
      '# Changelog\n\n## Unreleased\n\n- new\n\n## [1.2.3] - 2026-11-28\n\n### Added\n\n- this\n\n## 1.2.2\n\n- old\n';
    expect(releaseNotes(changelog, '1.2.3')).toBe('### Added\n\n- this\n');
    expect(releaseNotes(changelog, '1.2.2')).toBe('- old\n');
    expect(() => releaseNotes(changelog, '1.2')).toThrow('CHANGELOG.md says nothing of 1.2');
    expect(releaseNotes(read('CHANGELOG.md'), packageJson.version)).toContain('### Added');
  });

  it('has its version from package.json only', () => {
    expect(read('Dockerfile')).toContain(`org.opencontainers.image.version="${packageJson.version}"`);
    for (const file of ['.github/workflows/release.yml', 'docker-compose.yml', 'docker-compose.sqlite.yml']) {
      expect(read(file)).not.toContain(packageJson.version);
    }
  });
});

it('is built with all files that the Dockerfile copies', () => {
  const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path = '']) => path);
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(?:--\S+ )*(.+) \S+$/gm)]
    .flatMap(([, sources = '']) => sources.split(' '))
    .concat([...read('Dockerfile').matchAll(/--mount=source=([^,\s]+)/g)].map(([, path = '']) => path));
  expect(copied.length).toBeGreaterThan(5);
  for (const source of copied.map((path) => path.replace(/\/$/, ''))) {
    expect(
      allowed.some((path) => source === path || source.startsWith(`${path}/`)),
      source,
    ).toBe(true);
  }
});

describe('the workflow of a release', () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of our own
  const workflow = parse(read('.github/workflows/release.yml')) as Workflow;
  const { build, publish } = workflow.jobs;
  const at = (job: Job, part: string): number =>
    job.steps.findIndex(({ uses = '', run = '' }) => uses.includes(part) || run.includes(part));

  it('builds for both platforms, with provenance, a list of contents and all labels', () => {
    expect(build.strategy?.matrix.include.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    const step = build.steps[at(build, 'docker/build-push-action')];
    expect(step?.with).toMatchObject({
      platforms: '${{ matrix.platform }}',
      provenance: 'mode=max',
      sbom: true,
      labels: '${{ steps.facts.outputs.labels }}',
    });
    expect(String(step?.with?.['outputs'])).toContain('push-by-digest=true');
  });

  it('gives tags only to images that were tested on every platform', () => {
    expect(at(build, 'test-image.sh')).toBeGreaterThan(at(build, 'docker/build-push-action'));
    expect(publish.needs).toBe('build');
    expect(at(build, 'imagetools')).toBe(-1);
    expect(publish.steps[at(publish, 'imagetools')]?.run).toContain('publish.ts tags');
    expect(at(publish, 'gh release create')).toBeGreaterThan(at(publish, 'imagetools'));
  });

  it('starts with the tag of a version that has notes', () => {
    expect(workflow.on).toEqual({ push: { tags: ['v*'] } });
    const facts = build.steps[at(build, 'publish.ts')]?.run ?? '';
    expect(facts).toContain('"v$version"');
    expect(facts).toContain('$publish notes');
  });

  it('may write packages in the job that pushes, and contents in the job that publishes', () => {
    expect(build.permissions).toEqual({ contents: 'read', packages: 'write' });
    expect(publish.permissions).toEqual({ contents: 'write', packages: 'write' });
  });
});
