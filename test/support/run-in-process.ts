import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { claimOf, safeSentence } from './safe-sentence.ts';
import { run } from '../../src/cli/run.ts';

const root = join(import.meta.dirname, '../..');
const settings = readFileSync(join(root, '.env.example'), 'utf8');
const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What a run left behind, its report included if it was asked for one. */
export interface Told {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as they came. */
  readonly all: string;
}

/** Runs db-init within this process: no process is started, so hundreds of runs take seconds. */
export async function runInProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  workingDirectory = '/nowhere',
): Promise<Told> {
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
  // whatever failed says what is safe, in words that claim something
  const sentence = safeSentence(texts.all);
  if (sentence !== null) claimOf(sentence);
  return { exitCode, ...texts };
}

/** What no person may ever be shown: that it is a bug, or where in the source it happened. */
export const bug =
  /this is a bug|Unexpected failure|\n\s+at .*[:(]|\bTypeError\b|\bReferenceError\b|\[object |\bundefined\b/;
