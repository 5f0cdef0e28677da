import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import findPostgres from './postgres.setup.ts';

/**
 * Finds a server, and provides the seed of all random choices (TEST_CRASH_SEED, or a random number) and a file in which
 * the cases are counted. At the end it prints the count.
 */
export default async function prepareCrashes(project: TestProject): Promise<() => Promise<unknown>> {
  const { TEST_CRASH_SEED: given } = process.env;
  const seed = given === undefined ? randomInt(1, 1_000_000) : Number(given);
  const directory = await mkdtemp(join(tmpdir(), 'db-init-crash-'));
  const counts = join(directory, 'counts');
  await writeFile(counts, '');
  project.provide('crash', { seed, counts });
  console.log(`The seed of the random choices is ${seed}: TEST_CRASH_SEED=${seed} repeats them`);
  const stopPostgres = await findPostgres(project);
  return async () => {
    const cases = await readFile(counts, 'utf8');
    const failures = cases.replaceAll('.', '').length;
    console.log(`crash: ${cases.length} cases, ${failures} failures (seed ${seed})`);
    await rm(directory, { recursive: true, force: true });
    await stopPostgres();
  };
}
