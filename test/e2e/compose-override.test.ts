import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeDocker } from './stack.ts';

const shapes = [
  ['usual'],
  ['usual', 'https'],
  ['other-names'],
  ['nas'],
  ['sqlite'],
  ['external'],
  ['secrets'],
  ['anchors'],
  ['processes'],
  ['include'],
  ['other-variables'],
  ['usual', 'replaced'],
];

await describeDocker('The override that `compose` prints', () => {
  it.each(shapes)('is accepted by docker compose: %s %s', async (...names) => {
    const folder = await temporaryDirectory();
    const files = names.map((name) => join(import.meta.dirname, `../fixtures/compose/${name}.yml`));
    const { stdout, exitCode } = await run(['compose', ...files]);
    expect(exitCode).toBe(0);
    const override = join(folder, 'override.yml');
    await writeFile(override, stdout);
    const given = [...files, override].flatMap((file) => ['-f', file]);
    const config = await execa('docker', ['compose', ...given, '--profile', '*', 'config', '--quiet'], {
      env: { POSTGRES_PASSWORD: 'timetracker' },
      reject: false,
    });
    expect(config).toMatchObject({ exitCode: 0 });
  });
});
