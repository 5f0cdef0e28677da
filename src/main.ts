import { exitCodes } from './errors/exit-codes.ts';
import { stoppedAtOnce } from './report/banner.ts';
import { run } from './cli/run.ts';

declare const DB_INIT_VERSION: string;
declare const DB_INIT_SETTINGS: string;

/** Milliseconds. A SIGINT that comes this soon after a signal counts as the same one. */
const repeatInterval = 500;

const interruption = new AbortController();
let stoppedAt = Infinity;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const now = performance.now();
    // One Ctrl-C may arrive twice, from the terminal and from docker. A second SIGTERM has no effect: its sender can use
    // SIGKILL.
    if (signal === 'SIGINT' && now - stoppedAt > repeatInterval) {
      // exit after the message was written
      process.stderr.write(stoppedAtOnce, () => process.exit(exitCodes.interrupted));
    }
    stoppedAt = Math.min(stoppedAt, now);
    interruption.abort(signal);
  });
}

// if the reader closes the pipe early (`| head`), the run continues
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// If a run waited for a promise that nothing can settle, Node would end it with 13, which has another meaning here.
process.exitCode = 1;
void main();

async function main(): Promise<void> {
  process.exitCode = await run({
    version: DB_INIT_VERSION,
    settings: DB_INIT_SETTINGS,
    arguments: process.argv.slice(2),
    environment: process.env,
    workingDirectory: process.cwd(),
    streams: process,
    signal: interruption.signal,
  });
  // Otherwise Node would free, object by object, what ends with the process, and would wait for an unfinished DNS lookup
  // although nothing needs its answer. The empty writes ensure that a slow reader has received all output before.
  process.stdout.write('', () => process.stderr.write('', () => process.exit()));
}
