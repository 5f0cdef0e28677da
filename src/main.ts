import { exitCodes } from './exit-codes.ts';
import { stoppedAtOnce } from './report/problems.ts';
import { run } from './run.ts';

declare const DB_INIT_VERSION: string;
declare const DB_INIT_SETTINGS: string;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) {
      process.stderr.write(stoppedAtOnce);
      process.exit(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
    }
    interruption.abort(signal);
  });
}

// who closes the pipe early (`| head`) does not want to read on, but the run goes on
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// should a run ever wait for nothing, Node would end it with 13, which means something else here
process.exitCode = 1;
process.exitCode = await run({
  version: DB_INIT_VERSION,
  settings: DB_INIT_SETTINGS,
  arguments: process.argv.slice(2),
  environment: process.env,
  workingDirectory: process.cwd(),
  streams: process,
  signal: interruption.signal,
});
