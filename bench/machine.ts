import { cpus, loadavg, totalmem } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench } from './workbench.ts';

/** Other programs may use this share of the processors before the output has a warning. */
const quiet = 0.05;
/** How long to look at the processors, in milliseconds. */
const sampleTime = 1500;

/** The machine of the measurement, with a warning if it was not idle. Call it before measuring. */
export async function describeMachine({ postgres }: Pick<Bench, 'postgres'>): Promise<string> {
  const processors = cpus();
  const [load = 0] = loadavg();
  const busy = await busyShare();
  const facts = [
    `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Node.js ${process.version}`,
    `PostgreSQL ${postgres === null ? 'not found' : `${postgres.version}, its tools ${postgres.tools}`}`,
    `load average ${load.toFixed(2)}, ${Math.round(busy * 100)} % busy before the start`,
  ];
  return `${facts.join(', ')}\n${busy > quiet ? busyWarning : ''}`;
}

const busyWarning = 'WARNING: other programs use the processors. The ratios are only a rough guide.\n';

/** The share of all processors that is used while this process does nothing. */
async function busyShare(): Promise<number> {
  const before = times();
  await pause(sampleTime);
  const after = times();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

function times(): { readonly idle: number; readonly all: number } {
  let [idle, all] = [0, 0];
  for (const { times: spent } of cpus()) {
    idle += spent.idle;
    all += Object.values(spent).reduce((sum, time) => sum + time, 0);
  }
  return { idle, all };
}
