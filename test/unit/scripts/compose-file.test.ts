import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = join(import.meta.dirname, '../../..');

/** Runs a script with a `docker` on the PATH that fails with this message. */
async function run(script: string, says: string) {
  const folder = await temporaryDirectory();
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/docker'), `#!/bin/sh\necho '${says}' >&2\nexit 15\n`, { mode: 0o755 });
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
  return execa(join(root, script), { cwd: folder, env, reject: false, all: true });
}

describe.each([
  'scripts/db-init-reset.sh',
  'scripts/db-init-seed.sh',
  'scripts/reset-dev-db.sh',
  'docker/seed-dev-data.sh',
])('%s', (script) => {
  // docker exec passes a script to the kernel, which runs it only by this line; other callers fall back to a shell
  it('names its shell in its first line', async () => {
    expect(await readFile(join(root, script), 'utf8')).toMatch(/^#!\/bin\/sh\n# [A-Z]/);
  });

  // the application ships scripts of the latter names
  it.skipIf(script.includes('db-init'))("says first that it is db-init's, and what it runs", async () => {
    const [first] = (await run(script, 'nothing')).all?.split('\n') ?? [];
    expect(first).toMatch(/^This is db-init's [\w.-]+: it runs db-init-(?:reset|seed)\.sh/);
    const windows = script.replace(/sh$/, 'bat');
    for (const file of existsSync(join(root, windows)) ? [script, windows] : [script]) {
      expect(await readFile(join(root, file), 'utf8')).toMatch(
        /^(?:#!\/bin\/sh\n# |@rem )This is db-init's script, not the application's/,
      );
    }
  });

  it('distinguishes a compose file that cannot be read from a missing one', async () => {
    const missing = await run(script, 'no configuration file provided: not found');
    expect(missing.exitCode).toBe(2);
    expect(missing.all).toContain('No compose file with a service db-init was found');

    const unset = await run(script, 'required variable SECRET_KEY is missing a value: write it to .env');
    expect(unset.exitCode).toBe(2);
    expect(unset.all).toMatch(/docker compose cannot be used in .*:\nrequired variable SECRET_KEY is missing a value/);
    expect(unset.all).not.toContain('No compose file');
  });
});
