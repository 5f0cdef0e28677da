import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { claimOf, safeSentence } from './safe-sentence.ts';
import { run } from '../../src/cli/run.ts';

const root = join(import.meta.dirname, '../..');
const settings = readFileSync(join(root, '.env.example'), 'utf8');
const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The exit code and the output of a run. */
export interface RunOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order of output. */
  readonly all: string;
}

/** Runs db-init within this process, which is much faster than a process for each run. */
export async function runInProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  workingDirectory = '/nowhere',
): Promise<RunOutput> {
  const texts = { stdout: '', stderr: '', all: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      texts[name] += text;
      texts.all += text;
    },
  });
  const exitCode = await run({
    version,
    settings,
    arguments: args,
    environment,
    workingDirectory,
    streams: { stdout: stream('stdout'), stderr: stream('stderr') },
    signal: new AbortController().signal,
  });
  // every banner must contain a `Safe:` sentence that the tests know
  const sentence = safeSentence(texts.all);
  if (sentence !== null) claimOf(sentence);
  return { exitCode, ...texts };
}

/** Texts that no run may print: they show an unexpected failure of db-init. */
export const bugPattern =
  /this is a bug|Unexpected failure|\n\s+at .*[:(]|\bTypeError\b|\bReferenceError\b|\[object |\bundefined\b/;
