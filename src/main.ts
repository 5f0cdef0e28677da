import { run } from './run.ts';

declare const DB_INIT_VERSION: string;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => interruption.abort(signal));
}

process.exitCode = await run({
  version: DB_INIT_VERSION,
  arguments: process.argv.slice(2),
  environment: process.env,
  workingDirectory: process.cwd(),
  streams: process,
  signal: interruption.signal,
});
