import { beforeAll, expect, it } from 'vitest';
import { run } from '../../support/run.ts';
import { requireTrueSafeSentence } from '../../support/safe-sentence.ts';
import {
  relatedDatabases,
  contentsOf,
  currentArchive,
  describeRestores,
  difference,
  everything,
  filesIn,
  fillWithNewer,
  type Installation,
  install,
  now,
  uploadsIn,
} from './restores.ts';
import { atMoment, journalOf, type Moment } from './phases.ts';

type Outcome = 'old' | 'restored';

describeRestores('a restore', (engine) => {
  const since = now();
  let place: Installation;
  const state = async () => ({
    rows: await contentsOf(place.database, since),
    uploads: await uploadsIn(place.statics),
  });
  const known: Partial<Record<Outcome, Awaited<ReturnType<typeof state>>>> = {};
  const expectOutcome = async (outcome: Outcome): Promise<void> => {
    const found = await state();
    expect(difference(known[outcome]?.rows ?? [], found.rows)).toEqual([]);
    expect(found.uploads).toEqual(known[outcome]?.uploads);
  };
  const back = async (): Promise<void> => {
    await place.must('restore', '--undo', '--yes');
    await place.must('restore', '--drop-former', '--yes');
  };

  beforeAll(async () => {
    place = await install(engine);
    await fillWithNewer(place.database);
    // current, so that no gate changes it
    await place.must();
    known.old = await state();
    await place.must('restore', currentArchive(engine), '--yes');
    known.restored = await state();
    await back();
    await expectOutcome('old');
  });

  const moments: [Moment, Outcome][] = [
    ['after preparing', 'old'],
    ['before swapping', 'old'],
    ['after swapping', 'old'],
    ['before finishing', 'restored'],
    ['after finishing', 'restored'],
    ['before the end', 'restored'],
  ];
  // each needs a restore; only the swap differs between the engines
  const telling = moments.filter(([moment]) => engine === 'sqlite' || !/^before (?:swapping|the end)/.test(moment));

  it.each(telling)('killed %s leaves the database %s after the next start', async (moment, outcome) => {
    const args = ['restore', currentArchive(engine), '--yes'];
    const died = await run(args, { env: { ...place.env, ...(await atMoment(moment, 'SIGKILL')) } });
    expect(died.exitCode, died.all).toBeUndefined();
    expect(journalOf(place)).not.toBeNull();
    const gate = await place.run();
    expect(gate.exitCode, gate.all).toBe(0);
    expect(gate.all).toContain('A restore did not finish');
    await expectOutcome(outcome);
    expect(journalOf(place)).toBeNull();
    expect(await relatedDatabases(place.database)).toHaveLength(outcome === 'old' ? 1 : 2);
    expect(await everything(place)).toMatchObject({ memory: [] });
    expect(Object.keys(await leftovers(place))).toEqual([]);
    if (outcome === 'restored') await back();
  });

  it.each<[NodeJS.Signals, Moment, number]>([
    ['SIGINT', 'after preparing', 130],
    // the swap of files ends before the process handles a signal
    ['SIGTERM', engine === 'sqlite' ? 'after preparing' : 'after swapping', 143],
  ])('is rolled back at once if it is stopped by %s %s', async (signal, moment, code) => {
    const before = await everything(place);
    const args = ['restore', currentArchive(engine), '--yes'];
    const told = await run(args, { env: { ...place.env, ...(await atMoment(moment, signal)) } });
    expect(told.exitCode, told.all).toBe(code);
    requireTrueSafeSentence(told.all, false);
    expect(await everything(place)).toEqual(before);
    expect(journalOf(place)).toBeNull();
  });

  it('ignores a signal after its last step', async () => {
    const args = ['restore', currentArchive(engine), '--yes'];
    const told = await run(args, { env: { ...place.env, ...(await atMoment('after finishing', 'SIGTERM')) } });
    expect(told.exitCode, told.all).toBe(0);
    await expectOutcome('restored');
    await back();
  });

  it('leaves one of both databases live after the next start if its undo is killed', async () => {
    expect((await place.run('restore', currentArchive(engine), '--yes')).exitCode).toBe(0);
    let live: Outcome = 'restored';
    for (const [moment, outcome] of moments) {
      const env = { ...place.env, ...(await atMoment(moment, 'SIGKILL')) };
      const died = await run(['restore', '--undo', '--yes'], { env });
      expect(died.exitCode, died.all).toBeUndefined();
      const gate = await place.run();
      expect(gate.exitCode, gate.all).toBe(0);
      // a completed undo makes the other database live
      if (outcome === 'restored') live = live === 'old' ? 'restored' : 'old';
      await expectOutcome(live);
      expect(await relatedDatabases(place.database)).toHaveLength(2);
      expect(journalOf(place)).toBeNull();
    }
    expect((await place.run('restore', '--drop-former', '--yes')).exitCode).toBe(0);
    expect(await relatedDatabases(place.database)).toHaveLength(1);
  });
});

/** Files that db-init keeps among the uploads only for a short time. */
async function leftovers({ statics, data }: Installation): Promise<Record<string, string>> {
  const all = { ...(await filesIn(statics)), ...(await filesIn(data)) };
  return Object.fromEntries(Object.entries(all).filter(([path]) => /^\.db-init-(?!former)/.test(path)));
}
