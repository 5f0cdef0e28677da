import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const script = join(import.meta.dirname, '../../../entrypoint');

/** A project in a folder with a space in its name, built or not. */
async function project(main: string | null): Promise<string> {
  const root = join(await temporaryDirectory(), 'a project');
  await mkdir(join(root, 'dist'), { recursive: true });
  await copyFile(script, join(root, 'entrypoint'));
  await chmod(join(root, 'entrypoint'), 0o755);
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  if (main !== null) await writeFile(join(root, 'dist/main.js'), main);
  return root;
}

describe('entrypoint', () => {
  it('passes arguments and exit code through, from any folder and through symlinks', async () => {
    const root = await project('console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 13;');
    const link = join(await temporaryDirectory(), 'db-init');
    await symlink(join(root, 'entrypoint'), link);
    const { exitCode, stdout } = await execa(link, ['status', 'a b', '--json'], { cwd: '/', reject: false });
    expect(JSON.parse(stdout)).toEqual(['status', 'a b', '--json']);
    expect(exitCode).toBe(13);
  });

  it.each([
    [['--json', 'backup', 'create'], {}, ['--optimize-for-size']],
    [['restore', 'a.zip'], {}, ['--optimize-for-size']],
    [[], { TT_RESTORE_FROM: 'a.zip' }, ['--optimize-for-size']],
    [['status'], { TT_RESTORE_FROM_FILE: '/run/secrets/archive' }, ['--optimize-for-size']],
    [[], {}, []],
    [['gate'], { TT_RESTORE_FROM: '' }, []],
  ] as const)('lets Node.js save memory for commands that work with archives: %j %j', async (words, env, expected) => {
    const root = await project('console.log(JSON.stringify(process.execArgv));');
    const { stdout } = await execa(join(root, 'entrypoint'), words, { env });
    expect(JSON.parse(stdout)).toEqual(expected);
  });

  it('is replaced by Node.js, so that signals reach it', async () => {
    const root = await project(
      "process.on('SIGTERM', () => process.exit(143)); console.log(process.pid); setInterval(() => {}, 1e6);",
    );
    const run = execa(join(root, 'entrypoint'), { reject: false });
    run.stdout.once('data', () => run.kill('SIGTERM'));
    const { exitCode, stdout } = await run;
    expect(exitCode).toBe(143);
    expect(Number(stdout)).toBe(run.pid);
  });

  it('says what to do if the program is not built', async () => {
    const { exitCode, stderr } = await execa(join(await project(null), 'entrypoint'), { reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('npm run build');
  });
});
