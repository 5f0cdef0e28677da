import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { eventually } from '../support/wait-for-output.ts';

const entrypoint = join(import.meta.dirname, '../../entrypoint');
const steps = pathToFileURL(join(import.meta.dirname, 'steps.mjs')).href;

/** When a run is killed, with SIGKILL. */
export type Death =
  | { readonly kind: 'never' }
  /** Before the step with that number, from 1. */
  | { readonly kind: 'step'; readonly step: number; readonly whole: boolean }
  /** Stopped before that step instead of killed, and continued when `meanwhile` has ended. */
  | { readonly kind: 'stop'; readonly step: number; readonly meanwhile: () => Promise<void> }
  /** Milliseconds after its start. */
  | { readonly kind: 'instant'; readonly milliseconds: number; readonly whole: boolean };

/** The result of a run. */
export interface Ending {
  /** Undefined if it was killed. */
  readonly exitCode: number | undefined;
  readonly killed: boolean;
  readonly milliseconds: number;
  /** The output on both streams. */
  readonly all: string;
}

/** A process that may be killed: alone, so that its children continue, or `whole`, with all of them. */
export async function runUntilKilled(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  death: Death = { kind: 'never' },
  list = '',
): Promise<Ending> {
  const counts = death.kind === 'step' || death.kind === 'stop' || list !== '';
  const started = performance.now();
  const child = execa(entrypoint, args, {
    reject: false,
    all: true,
    extendEnv: false,
    // the leader of its own process group
    detached: true,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      ...env,
      ...(counts && {
        NODE_OPTIONS: `--import=${steps}`,
        CRASH_STEPS: list,
        CRASH_STEP: death.kind === 'step' || death.kind === 'stop' ? String(death.step) : '0',
        CRASH_SIGNAL: death.kind === 'stop' ? 'SIGSTOP' : 'SIGKILL',
        CRASH_GROUP: death.kind === 'step' && death.whole ? 'yes' : '',
      }),
    },
    input: '',
    timeout: 120_000,
  });
  const timer = death.kind === 'instant' ? setTimeout(() => kill(child.pid, death.whole), death.milliseconds) : null;
  if (death.kind === 'stop') {
    await Promise.race([child, isStopped(child.pid).then(death.meanwhile)]).finally(() => child.kill('SIGCONT'));
  }
  const { exitCode, signal, all, timedOut } = await child;
  if (timer !== null) clearTimeout(timer);
  if (timedOut) throw new Error(`the run did not end within two minutes:\n${all}`);
  return { exitCode, killed: signal === 'SIGKILL', milliseconds: performance.now() - started, all };
}

const isStopped = (pid: number | undefined): Promise<void> =>
  eventually(async () => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));

function kill(pid: number | undefined, whole: boolean): void {
  if (pid === undefined) return;
  try {
    process.kill(whole ? -pid : pid, 'SIGKILL');
  } catch {
    // the process has just ended
  }
}
