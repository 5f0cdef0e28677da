import { describe, expect, it } from 'vitest';
import { describePostgres, requirePostgres } from '../support/postgres-server.ts';
import { cutEverywhere } from './cuts.ts';
import { type Kind, kindCalled } from './kinds.ts';
import { deathsAtSteps, deathsByChance, type CrashCase, prepareCase, type TitledDeath, runCase } from './crash-case.ts';
import { postgresInstallation } from './postgres-environment.ts';
import { randomOf } from './random.ts';
import type { TestInstallation } from './test-installation.ts';
import { sqliteInstallation } from './sqlite-environment.ts';
import { type Case, failuresOf, seed } from './case-counts.ts';

/** The number of random instants for backup, restore and undo. Other work gets fewer. */
const instants = Number(process.env['TEST_CRASH_INSTANTS'] ?? 50);

/**
 * The number of randomly chosen steps; four times as many for backup, restore and undo. TEST_CRASH_STEPS=1000 takes all
 * of them.
 */
const steps = Number(process.env['TEST_CRASH_STEPS'] ?? 8);

/** Kills kinds of work on SQLite. */
export function describeOnSqlite(...names: readonly string[]): void {
  for (const kind of names.map(kindCalled)) {
    const title = `${kind.name} (sqlite)`;
    describe(title, () => testDeaths(kind, title, preparedOnce(kind, sqliteInstallation)));
  }
}

/** Kills kinds of work on PostgreSQL, and cuts their connections. */
export function describeOnPostgres(...names: readonly string[]): void {
  for (const kind of names.map(kindCalled)) {
    const title = `${kind.name} (postgresql)`;
    const prepared = preparedOnce(kind, () =>
      postgresInstallation({ server: requirePostgres().url, changes: kind.changes }),
    );
    const spec = (): void => {
      testDeaths(kind, title, prepared);

      it('cut off from the server is completed or rolled back by the next start', async () => {
        expect(await cutEverywhere(await prepared(), title)).toEqual([]);
      });
    };
    describePostgres(title, spec, 'tools');
  }
}

/** All tests of a kind of work share one case, because its preparation takes several runs. */
function preparedOnce(kind: Kind, open: () => Promise<TestInstallation>): () => Promise<CrashCase> {
  let crashCase: Promise<CrashCase> | null = null;
  return () => (crashCase ??= open().then((installation) => prepareCase(kind, installation)));
}

/** Kills a kind of work before and after every step, and at random instants. */
function testDeaths(kind: Kind, title: string, prepared: () => Promise<CrashCase>): void {
  it('killed before and after every step is completed or rolled back by the next start', async () => {
    const present = await prepared();
    const chance = randomOf(seed(), `${title} steps`);
    const failures = await failuresOf(
      title,
      casesOf(present, deathsAtSteps(present, kind.share === 1 ? 4 * steps : steps, chance)),
      () => present.installation.restoreSaved(),
    );
    expect(failures).toEqual([]);
  });

  it('killed at any instant is completed or rolled back by the next start', async () => {
    const present = await prepared();
    const chance = randomOf(seed(), `${title} instants`);
    const count = Math.max(2, Math.round(instants * kind.share));
    const failures = await failuresOf(title, casesOf(present, deathsByChance(present, count, chance)), () =>
      present.installation.restoreSaved(),
    );
    expect(failures).toEqual([]);
  });
}

function casesOf(crashCase: CrashCase, deaths: readonly TitledDeath[]): readonly Case[] {
  const { installation, kind } = crashCase;
  return deaths.map(({ title, death }) => ({
    title,
    run: () => runCase(crashCase, () => installation.runProcess(kind.args(installation), { death })),
  }));
}
