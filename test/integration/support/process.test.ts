import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandNames } from '../../../src/cli/commands.ts';
import { createSqliteDatabase } from '../../support/database.ts';
import { run, runProcess } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** Values that differ in each run: times and durations. */
const lasting = (text: string): string =>
  text.replaceAll(/\b\d{4}-?\d\d-?\d\d\b|\b\d\d:?\d\d:?\d\d(?:\.\d+)?Z?|\b\d+(?:\.\d+)? m?s\b/g, '<time>');

describe('a process and a run within the process of a test', () => {
  let env: Record<string, string>;
  beforeAll(async () => {
    const folder = await temporaryDirectory();
    env = {
      DATABASE_URL: (await createSqliteDatabase()).url,
      UPLOAD_FOLDER: folder,
      BACKUP_FOLDER: join(folder, 'backups'),
    };
    await run([], { env });
    await run(['backup', 'create', '--output', join(folder, 'one.zip')], { env });
  });

  // comparing the first run of a command is enough
  it.each([
    ...commandNames.map((name) => (name === 'compose' ? ['compose', '/nowhere.yml'] : [name])),
    ['status', '--json'],
    ['backup', 'list'],
    ['backup', 'verify', 'one.zip'],
    ['restore', 'one.zip', '--dry-run'],
    ['restore', 'none.zip', '--yes'],
    ['quarantine', 'list'],
    ['help'],
    ['help', 'settings'],
    ['version'],
    ['nonsense'],
    ['--nonsense'],
  ])('print the same and exit with the same code: %j %j', async (...words) => {
    const [one, other] = [await runProcess(words, { env }), await run(words, { env })];
    const told = ({ exitCode, stdout, stderr }: typeof one) => [exitCode, lasting(stdout), lasting(stderr)];
    expect(told(other)).toEqual(told(one));
  });
});
