import { describe, expect, it } from 'vitest';
import type { Kind } from './kinds.ts';
import { deathsAtSteps, deathsByChance, type Ordeal, prepareOrdeal, type TitledDeath, undergo } from './ordeal.ts';
import { randomOf } from './random.ts';
import type { Scene } from './scene.ts';
import { type Case, failuresOf, seed } from './tally.ts';

/** How many instants by chance the work gets that issues promises about: backup, restore, undo. Others get fewer. */
const instants = Number(process.env['TEST_CRASH_INSTANTS'] ?? 50);

/** How many steps are enough for the others; TEST_CRASH_STEPS=1000 takes all of them. */
const steps = Number(process.env['TEST_CRASH_STEPS'] ?? 12);

/** Kills a kind of work before and after every step, and by chance. */
export function describeDeaths(kind: Kind, title: string, openScene: () => Promise<Scene>): void {
  describe(title, () => {
    let ordeal: Promise<Ordeal> | null = null;
    const prepared = (): Promise<Ordeal> => (ordeal ??= openScene().then((scene) => prepareOrdeal(kind, scene)));

    it('killed before and after every step is done or undone by the next start', async () => {
      const present = await prepared();
      const chance = randomOf(seed(), `${title} steps`);
      const failures = await failuresOf(
        title,
        casesOf(present, deathsAtSteps(present, kind.share === 1 ? Infinity : steps, chance)),
        () => present.scene.back(),
      );
      expect(failures).toEqual([]);
    });

    it('killed at any instant is done or undone by the next start', async () => {
      const present = await prepared();
      const chance = randomOf(seed(), `${title} instants`);
      const count = Math.max(2, Math.round(instants * kind.share));
      const failures = await failuresOf(title, casesOf(present, deathsByChance(present, count, chance)), () =>
        present.scene.back(),
      );
      expect(failures).toEqual([]);
    });
  });
}

function casesOf(ordeal: Ordeal, deaths: readonly TitledDeath[]): readonly Case[] {
  const { scene, kind } = ordeal;
  return deaths.map(({ title, death }) => ({
    title,
    run: () => undergo(ordeal, () => scene.run(kind.args(scene), death)),
  }));
}
