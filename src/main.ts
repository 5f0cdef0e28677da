import { exitCodes } from './errors/exit-codes.ts';
import { stoppedAtOnce } from './report/banner.ts';
import { run } from './cli/run.ts';

declare const DB_INIT_VERSION: string;
declare const DB_INIT_SETTINGS: string;

/** Milliseconds within which a signal is the one that came before. */
const sameSignal = 500;

const interruption = new AbortController();
let stopping = Infinity;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const now = performance.now();
    // one Ctrl-C may come twice, from the terminal and from docker; who sends SIGTERM has SIGKILL for who does not hear
    if (signal === 'SIGINT' && now - stopping > sameSignal) {
      // not before it is written
      process.stderr.write(stoppedAtOnce, () => process.exit(exitCodes.interrupted));
    }
    stopping = Math.min(stopping, now);
    interruption.abort(signal);
  });
}

// who closes the pipe early (`| head`) does not want to read on, but the run goes on
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// should a run ever wait for nothing, Node would end it with 13, which means something else here
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
  // A name that is still being looked up would keep Node going, for an answer that nobody waits for. Whatever is still on
  // its way to a slow reader is written first: the streams tell in their order.
  setTimeout(() => process.stdout.write('', () => process.stderr.write('', () => process.exit())), 500).unref();
}
