import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inspectDataVolume } from '../../../src/platform/data-volume.ts';
import { describeDataVolume } from '../../../src/report/connection-messages.ts';
import { requireServerSpace } from '../../../src/restore/free-space.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** What is said of a volume with these files. */
async function said(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryDirectory();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return describeDataVolume(inspectDataVolume(folder), [15, 16, 17]).join('\n');
}

it.each([
  ['', 'PostgreSQL 16.', '/var/lib/postgresql/data.'],
  ['18/docker/', 'PostgreSQL 16 (in 18/docker)', 'volume at /var/lib/postgresql.'],
  ['pgdata/', 'PostgreSQL 16 (in pgdata)', '/var/lib/postgresql/data.'],
])(
  'names the major version of the data in "%s", and the right mount point of its volume',
  async (path, major, place) => {
    const text = await said({ [`${path}PG_VERSION`]: '16\n', [`${path}base/1/PG_VERSION`]: '16\n' });
    expect(text).toContain(major);
    expect(text).toContain('postgres:16-alpine');
    expect(text).toContain(place);
  },
);

it('says that the client programs are too old for it', async () => {
  expect(await said({ PG_VERSION: '18\n' })).toContain('newest client programs here are those of PostgreSQL 17');
  expect(await said({ PG_VERSION: '16\n' })).not.toContain('client programs');
});

it('distinguishes a folder without data from a missing one', async () => {
  expect(await said({})).toContain('is empty');
  expect(await said({ 'photos/me.png': '' })).toContain('no PG_VERSION), but photos.');
  expect(describeDataVolume(inspectDataVolume('/nowhere/at/all'), [])).toEqual([]);
});

it('is asked for its free space before a dump is loaded, where it is the data of a server', async () => {
  const folder = await temporaryDirectory();
  const huge = 2 ** 60;
  expect(() => requireServerSpace(huge, 'x', folder)).not.toThrow();
  await writeFile(join(folder, 'PG_VERSION'), '16');
  expect(() => requireServerSpace(1, 'x', folder)).not.toThrow();
  expect(() => requireServerSpace(huge, 'x', folder)).toThrow(
    expect.objectContaining({ problem: expect.objectContaining({ obstacle: expect.objectContaining({ folder }) }) }),
  );
});
