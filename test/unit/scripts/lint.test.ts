import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = join(import.meta.dirname, '../../..');

/** The project's overrides that contain its own rules, for files of the same paths in another folder. */
const config = `
import project from ${JSON.stringify(join(root, 'oxlint.config.mjs'))};
const ours = ({ rules }) => Object.keys(rules).some((name) => name.startsWith('db-init/'));
export default {
  jsPlugins: [${JSON.stringify(join(root, 'scripts/lint/sentences.mjs'))}],
  categories: { correctness: 'off' },
  overrides: project.overrides.filter(ours),
};`;

/** Lints these files; returns `<file>: <reported line>` of each finding. */
async function lint(files: Readonly<Record<string, readonly string[]>>): Promise<readonly string[]> {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, 'oxlint.config.mjs'), config);
  for (const [file, lines] of Object.entries(files)) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), lines.join('\n'));
  }
  const oxlint = join(root, 'node_modules/.bin/oxlint');
  const { stdout } = await execa(oxlint, ['--config', 'oxlint.config.mjs', '--format', 'unix', 'src'], {
    cwd: folder,
    reject: false,
  });
  return stdout
    .split('\n')
    .flatMap((line) => {
      const [, file = '', number, rule] = /(src\/[^:]+):(\d+):\d+: .*\[Error\/db-init\(([\w-]+)\)\]/.exec(line) ?? [];
      return number === undefined ? [] : [`${rule} ${file}: ${files[file]?.[Number(number) - 1]}`];
    })
    .toSorted();
}

describe('the lint rule no-prose', () => {
  const sentences = [
    "export const a = 'the archive is damaged';",
    'export const b = (file: string): string => `${file} is not an archive`;',
    'export const c = (file: string): string => `entry ${file}: its size differs`;',
    "export const d = { kind: 'invalid', reason: 'no end of central directory' };",
    "export const e = [1].map(() => 'longer than its header says');",
  ];
  const data = [
    "'use of strict';",
    "export const f = ['invalid', 'no-space', 'double precision', 'partitioned table', 'TT_BACKUP_DIR', 'uploads/avatars', 'a.b c.d'];",
    "export const g = 'INSERT INTO tasks (name, state) SELECT name, state FROM old_tasks WHERE id = $1 ORDER BY name';",
    'export const h = (table: string): string => `ALTER TABLE ${table} DROP CONSTRAINT tasks_check`;',
    'export const i = /no such table/;',
    "export const j = (): never => { throw new Error('no question about this was asked'); };",
    "export const k = ['--no-password', 'pg_restore --list', 'Authorization: Bearer', 'db-init tests'];",
  ];
  const reported = (file: string) => sentences.map((line) => `no-prose ${file}: ${line}`);

  it('reports sentences, and lets names, SQL, patterns and errors of programming pass', async () => {
    const found = await lint({
      'src/archive/reader.ts': [...data, ...sentences],
      'src/restore/uploads/swap.ts': sentences,
      'src/report/archive-reasons.ts': sentences,
    });
    expect(found).toEqual([...reported('src/archive/reader.ts'), ...reported('src/restore/uploads/swap.ts')]);
  });
});

describe('the lint rule sentences-in-report', () => {
  it('reports a text that is given to the log, the output or a consent, and no other one', async () => {
    const reported = [
      "context.log.info('Migrating');",
      'log.warn(`Skipped ${file}`);',
      "output.result(empty ? '' : 'Nothing to do');",
      "requireConsent('Delete ' + file);",
      "export const problem = { kind: 'usage', message: 'Too many files' };",
    ];
    const passed = ['log.info(texts.migrating(file));', "names.add('Nothing to do');", "output.result('\\n');"];
    expect(await lint({ 'src/cli/x.ts': [...reported, ...passed], 'src/report/x.ts': reported })).toEqual(
      reported.map((line) => `sentences-in-report src/cli/x.ts: ${line}`).toSorted(),
    );
  });
});
