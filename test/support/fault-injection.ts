import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';
import { atEnd } from './cleanup.ts';

const root = join(import.meta.dirname, '../..');

/** The functions of node:fs that change a folder. A test kills the process before one of these calls. */
const changes = ['copyFile', 'link', 'mkdir', 'rename', 'rm', 'rmdir', 'symlink', 'unlink'];

/** Calls a function of a module in a separate process. */
export interface KillableModule {
  /**
   * @param death the number of the change before which the process is killed, from 1; 0 for never
   * @param refused a call that fails, as on a file system that does not support it: `link`
   * @returns whether it survived to the end
   * @throws Error of the function
   */
  (call: string, args: readonly unknown[], death?: number, refused?: string): Promise<boolean>;
}

/** Bundles a module, so that its functions can be called in processes that are killed (SIGKILL) at a given step. */
export async function killableModule(module: string): Promise<KillableModule> {
  const outfile = join(
    root,
    'node_modules/.cache/db-init',
    `killable-${module.replaceAll(/\W+/g, '-')}-${process.pid}.mjs`,
  );
  atEnd(() => rm(outfile, { force: true }));
  await build({
    absWorkingDir: root,
    stdin: { contents: script(module), resolveDir: root, loader: 'js' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  return async (call, args, death = 0, refused = '') => {
    const plan = JSON.stringify({ call, args, death, refused });
    const { exitCode, signal, stderr } = await execa(process.execPath, [outfile, plan], { reject: false });
    if (exitCode === 0) return true;
    if (signal === 'SIGKILL') return false;
    throw new Error(stderr);
  };
}

/** Calls a function again and again, and kills its process at the first step, then at the second, until it survives. */
export async function atEveryStep(
  call: (death: number) => Promise<boolean>,
  afterDeath: (death: number) => Promise<void>,
): Promise<number> {
  for (let death = 1; ; death++) {
    const survived = await call(death);
    await afterDeath(death);
    if (survived) return death;
  }
}

const script = (module: string): string => `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  import * as module from './${module}';
  const { call, args, death, refused } = JSON.parse(process.argv[2]);
  let step = 0;
  for (const [owner, suffix] of [[fs, 'Sync'], [fs.promises, '']]) {
    for (const name of ${JSON.stringify(changes)}) {
      const original = owner[name + suffix];
      owner[name + suffix] = (...given) => {
        if (++step === death) process.kill(process.pid, 'SIGKILL');
        if (name === refused) throw Object.assign(new Error('refused'), { code: 'EPERM' });
        return original(...given);
      };
    }
  }
  syncBuiltinESMExports();
  await module[call](...args);
`;
