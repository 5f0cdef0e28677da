import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = join(import.meta.dirname, '../../..');

/** Runs a script beside a `docker` that fails and says this. */
async function run(script: string, says: string) {
  const folder = await temporaryDirectory();
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/docker'), `#!/bin/sh\necho '${says}' >&2\nexit 15\n`, { mode: 0o755 });
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
  return execa(join(root, script), { cwd: folder, env, reject: false, all: true });
}

describe.each(['scripts/reset-dev-db.sh', 'docker/seed-dev-data.sh'])('%s', (script) => {
  it('tells a compose file that cannot be read from a missing one', async () => {
    const missing = await run(script, 'no configuration file provided: not found');
    expect(missing.exitCode).toBe(2);
    expect(missing.all).toContain('No compose file with a service db-init was found');

    const unset = await run(script, 'required variable SECRET_KEY is missing a value: write it to .env');
    expect(unset.exitCode).toBe(2);
    expect(unset.all).toMatch(/docker compose cannot be used in .*:\nrequired variable SECRET_KEY is missing a value/);
    expect(unset.all).not.toContain('No compose file');
  });
});
