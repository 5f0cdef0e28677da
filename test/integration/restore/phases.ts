import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../support/wait-for-output.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import type { Installation } from './restores.ts';

/** A moment of a restore: just before or after its journal names the phase, or before the journal is removed. */
export type Moment = `${'before' | 'after'} ${'preparing' | 'swapping' | 'finishing'}` | 'before the end';

/** The environment in which a run sends a signal to itself at a given step, which stops, kills or interrupts it. */
export async function atMoment(moment: Moment, signal: NodeJS.Signals): Promise<Record<string, string>> {
  const file = join(await temporaryDirectory(), 'moment.mjs');
  await writeFile(file, script(moment, signal));
  return { NODE_OPTIONS: `--import=${file}` };
}

const script = (moment: Moment, signal: NodeJS.Signals): string => `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { renameSync, rmSync } = fs;
  const strike = (now) => now === ${JSON.stringify(moment)} && process.kill(process.pid, '${signal}');
  const isJournal = (path) => String(path).endsWith('/.db-init/restore.json');
  fs.renameSync = (from, to) => {
    if (!isJournal(to)) return renameSync(from, to);
    const { phase } = JSON.parse(fs.readFileSync(from, 'utf8'));
    strike('before ' + phase);
    renameSync(from, to);
    strike('after ' + phase);
  };
  fs.rmSync = (path, options) => {
    if (isJournal(path)) strike('before the end');
    rmSync(path, options);
  };
  syncBuiltinESMExports();
`;

/** The journal of an installation; null if there is no readable one. */
export function journalOf({ backups }: Pick<Installation, 'backups'>): unknown {
  try {
    return JSON.parse(readFileSync(join(backups, '.db-init/restore.json'), 'utf8'));
  } catch {
    return null;
  }
}

/** Waits until a process has stopped itself. */
export async function stopped(pid: number | undefined): Promise<void> {
  await eventually(async () => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
}
