import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireTrueSafeSentence, safeSentence } from '../support/safe-sentence.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { Kind } from './kinds.ts';
import { differenceOf, type DatabaseSnapshot } from './database-snapshot.ts';
import { partialsOf, type TestInstallation } from './test-installation.ts';
import type { Death, Ending } from './killable-process.ts';

/** A kind of work on its installation, with every result that is allowed. */
export interface CrashCase {
  readonly kind: Kind;
  readonly installation: TestInstallation;
  /** The state before the work. */
  readonly untouched: DatabaseSnapshot;
  /** The state after a start without the work. */
  readonly before: DatabaseSnapshot;
  /** The state after the work and a start. */
  readonly after: DatabaseSnapshot;
  /** How long the work takes, in milliseconds. */
  readonly duration: number;
  /** The steps of the work that are visible from outside, in their order. */
  readonly steps: readonly string[];
}

export interface TitledDeath {
  readonly title: string;
  readonly death: Death;
}

/** Prepares the installation and runs the work without a crash, for its duration and its result. */
export async function prepareCase(kind: Kind, installation: TestInstallation): Promise<CrashCase> {
  await kind.prepare(installation);
  await installation.save();
  const rows = await installation.rows();
  const untouched = await installation.snapshot();
  await start(installation);
  const before = await healthySnapshot(installation);
  await installation.restoreSaved();
  const list = join(await temporaryDirectory(), 'steps');
  const duration = await undisturbed(kind, installation, list);
  await start(installation);
  const after = await healthySnapshot(installation);
  if (kind.keepsRows) requireRows(rows, await installation.rows());
  else if (differenceOf(before, after) === null) throw new Error(`no difference shows whether ${kind.name} happened`);
  await installation.restoreSaved();
  const steps = readFileSync(list, 'utf8').trimEnd().split('\n');
  return { kind, installation, untouched, before, after, duration, steps };
}

/** The test counts the rows itself, and does not trust the output of a run. */
function requireRows(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): void {
  const lost = Object.entries(before).filter(([table, count]) => (after[table] ?? 0) < count);
  if (lost.length > 0) throw new Error(`rows were lost from ${lost.map(([table]) => table).join(', ')}`);
}

/** @returns its duration in milliseconds */
async function undisturbed(kind: Kind, installation: TestInstallation, list: string): Promise<number> {
  const { exitCode, all, milliseconds } = await installation.runProcess(kind.args(installation), { list });
  if (exitCode !== 0) throw new Error(`${kind.name} undisturbed ended with ${exitCode}:\n${all}`);
  return milliseconds;
}

async function healthySnapshot(installation: TestInstallation): Promise<DatabaseSnapshot> {
  const leftovers = await installation.leftovers();
  if (leftovers.length > 0) throw new Error(`left behind by an uninterrupted run: ${leftovers.join(', ')}`);
  return installation.snapshot();
}

/**
 * One case: the work is killed, and then a person starts again.
 * @param more variables for the work and for the starts after it
 * @throws Error with a description of the fault
 */
export async function runCase(
  crashCase: CrashCase,
  cutOff: () => Promise<Ending>,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { kind, installation } = crashCase;
  const ending = await cutOff();
  if (ending.exitCode === 1) throw new Error(`the work ended with exit code 1:\n${ending.all}`);
  try {
    await requireTrueSafeSentenceOf(crashCase, ending);
    // the result is the same if the work had nothing to do
    if (!/nothing to do/.test(await start(installation, more))) await start(installation, more, /nothing to do/);
    const found = await installation.snapshot();
    // a reported success must be true
    const allowed = ending.exitCode === 0 ? [crashCase.after] : [crashCase.before, crashCase.after];
    const differences = allowed.map((expected) => differenceOf(found, expected));
    if (!differences.includes(null)) throw new Error(`neither of both states: ${differences.join('\n  or: ')}`);
    const leftovers = await installation.leftovers();
    if (leftovers.length > 0) throw new Error(`left over: ${leftovers.join(', ')}`);
    if (kind.name === 'backup' || partialsOf(installation).length > 0) await requireBackup(installation);
  } catch (error) {
    throw new Error(
      `${error instanceof Error ? error.message : String(error)}\n  the run that was cut off said:\n${ending.all}`,
      { cause: error },
    );
  }
  await installation.restoreSaved();
}

/** Compares the `Safe:` sentence of a run with the live database, before the next start changes it. */
async function requireTrueSafeSentenceOf({ installation, untouched }: CrashCase, { all }: Ending): Promise<void> {
  if (safeSentence(all) === null) return;
  const found = await installation.snapshot();
  requireTrueSafeSentence(all, found[installation.live] !== untouched[installation.live]);
}

/** Runs the gate, as every start does. */
async function start(
  installation: TestInstallation,
  more: Readonly<Record<string, string>> = {},
  saying = /healthy and current/,
): Promise<string> {
  const { exitCode, all } = await installation.run([], more);
  if (exitCode !== 0 || !saying.test(all)) throw new Error(`the next start ended with ${exitCode}:\n${all}`);
  return all;
}

/** Checks that the next backup works, and that no unfinished files are left. */
async function requireBackup(installation: TestInstallation): Promise<void> {
  const { exitCode, all } = await installation.run(['backup', 'create']);
  if (exitCode !== 0) throw new Error(`the next backup ended with ${exitCode}:\n${all}`);
  const partials = partialsOf(installation);
  if (partials.length > 0) throw new Error(`the next backup left ${partials.join(', ')}`);
  const faults = await installation.leftovers();
  if (faults.length > 0) throw new Error(`after the next backup: ${faults.join(', ')}`);
}

/**
 * Kills before and after every step. Of many similar steps, only the first and the last count.
 * @param most the largest number of kills, chosen evenly
 */
export function deathsAtSteps({ steps }: CrashCase, most: number, chance: () => number): readonly TitledDeath[] {
  const sorts = steps.map(sortOf);
  const telling = sorts.flatMap((sort, index) =>
    sorts.indexOf(sort) === index || sorts.lastIndexOf(sort) === index ? [index] : [],
  );
  const stride = Math.max(1, telling.length / most);
  const chosen = telling.filter((_, place) => Math.floor(place % stride) === 0);
  return chosen.map((index) => {
    const whole = chance() < 0.5;
    return {
      title: `killed ${whole ? 'with its children' : 'alone'} before step ${index + 1}: ${steps[index]}`,
      death: { kind: 'step', step: index + 1, whole },
    };
  });
}

/** The kind of a step: without its numbers and the names of uploads. */
function sortOf(step: string): string {
  const ours = /\.db-init|restore|stamp|timetracker|^(open|rm|unlink) db\./;
  if (/^(open|mkdir|rename|rmdir) /.test(step) && !ours.test(step)) return step.replace(/ .*/, '');
  return step.replaceAll(/\d+/g, '#').replace(/#\/#.*/, '#/#');
}

/** Kills at random instants during the work. */
export function deathsByChance({ duration }: CrashCase, count: number, chance: () => number): readonly TitledDeath[] {
  return Array.from({ length: count }, (_, index) => {
    const part = (index + chance()) / count;
    const whole = chance() < 0.5;
    const title = `killed ${whole ? 'with its children' : 'alone'} after ${(part * 100).toFixed(1)} % of its time`;
    return { title, death: { kind: 'instant', milliseconds: part * duration, whole } };
  });
}
