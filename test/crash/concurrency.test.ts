import type { Engine } from '../../src/model/engine.ts';
import { describe, expect, it } from 'vitest';
import { describePostgres, requirePostgres } from '../support/postgres-server.ts';
import { type Kind, kindCalled, succeed } from './kinds.ts';
import { differenceOf } from './database-snapshot.ts';
import { postgresInstallation } from './postgres-environment.ts';
import { randomOf } from './random.ts';
import { type TestInstallation, partialsOf } from './test-installation.ts';
import { sqliteInstallation } from './sqlite-environment.ts';
import { failuresOf, seed } from './case-counts.ts';
import { type Ending, runUntilKilled } from './killable-process.ts';

/** A command and its allowed exit codes. */
interface Expected {
  readonly args: readonly string[];
  readonly ends: readonly number[];
}

/** A command for concurrent runs. */
interface Member extends Expected {
  readonly looks?: true;
  /** Further allowed exit codes while there is the journal of a restore. */
  readonly besideRestore?: readonly number[];
}

const usage = 2;
const notCurrent = 21;
const unreadable = 17;
const locked = 5;
const restoreRefused = 31;
/** The commands of people and schedulers, with their allowed exit codes during other runs. */
const mixed: readonly Member[] = [
  { args: [], ends: [0] },
  { args: ['status', '--json'], ends: [0], looks: true },
  { args: ['backup', 'create'], ends: [0] },
  { args: ['verify'], ends: [0, notCurrent], looks: true, besideRestore: [restoreRefused] },
  { args: ['gate'], ends: [0] },
  { args: ['plan', '--json'], ends: [0], looks: true },
  // it repairs a database at the head, and refuses an older one
  { args: ['repair', '--dry-run'], ends: [0, usage], looks: true },
  { args: ['quarantine', 'list'], ends: [0], looks: true },
  // a database with a known revision cannot be adopted
  { args: ['adopt'], ends: [usage] },
];

/** Starts all of them at the same time. */
const together = (
  installation: TestInstallation,
  commands: readonly (readonly string[])[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Ending[]> =>
  Promise.all(commands.map((args) => runUntilKilled(args, { ...installation.env, ...env })));

/** Commands in random order. */
function concurrentCommands(
  count: number,
  engine: Engine,
  topic: 'upgrade' | 'impatient' | 'restore',
): readonly Expected[] {
  const chance = randomOf(seed(), `${engine} ${count} ${topic}`);
  return Array.from({ length: count }, (_, index) => ({ command: mixed[index % mixed.length], place: chance() }))
    .toSorted((a, b) => a.place - b.place)
    .flatMap(({ command }) => command ?? [])
    .map(({ args, ends, looks, besideRestore = [] }) => ({
      args,
      ends: [
        ...ends,
        // a SQLite file cannot be read during a commit; db-init waits for it only a short time
        ...(looks === true && engine === 'sqlite' ? [unreadable] : []),
        ...(topic === 'restore' ? besideRestore : []),
      ],
    }));
}

function requireEnds(endings: readonly Ending[], commands: readonly Expected[], more: readonly number[] = []): void {
  const odd = endings.flatMap(({ exitCode, all }, index) => {
    const { args = [], ends = [] } = commands[index] ?? {};
    return exitCode !== undefined && [...ends, ...more].includes(exitCode)
      ? []
      : [`db-init ${args.join(' ')} ended with ${exitCode}:\n${all}`];
  });
  if (odd.length > 0) throw new Error(odd.join('\n\n'));
}

const migrations = (endings: readonly Ending[]): number =>
  endings.filter(({ all }) => all.includes('The schema was brought to the head')).length;

describeInstallations('concurrent runs', (open) => {
  it.each([2, 10, 30])('let one of %i migrate an old database, and all succeed', async (count) => {
    const installation = await open('content');
    await kindCalled('behind').prepare(installation);
    await installation.save();
    await succeed(installation, []);
    const after = await installation.snapshot();
    await installation.restoreSaved();

    const commands = [...concurrentCommands(count - 1, installation.engine, 'upgrade'), { args: [], ends: [0] }];
    const run = async (): Promise<void> => {
      const endings = await together(
        installation,
        commands.map(({ args }) => args),
      );
      requireEnds(endings, commands);
      expect(migrations(endings)).toBe(1);
      expect(differenceOf(await installation.snapshot(), after)).toBeNull();
      expect([...(await installation.leftovers()), ...partialsOf(installation)]).toEqual([]);
    };
    expect(await failuresOf(installation.engine, [{ title: `${count} at once`, run }])).toEqual([]);
  });

  it('succeed or report a held lock with a short lock timeout (10 of them)', async () => {
    const installation = await open('content');
    await kindCalled('behind').prepare(installation);
    const commands = [...concurrentCommands(9, installation.engine, 'impatient'), { args: [], ends: [0] }];
    const run = async (): Promise<void> => {
      const endings = await together(
        installation,
        commands.map(({ args }) => args),
        { TT_LOCK_TIMEOUT: '0' },
      );
      requireEnds(endings, commands, [locked]);
      // no restore succeeds if other commands hold the lock all the time
      expect(migrations(endings)).toBeLessThanOrEqual(1);
      await succeed(installation, []);
    };
    expect(await failuresOf(installation.engine, [{ title: 'with little patience', run }])).toEqual([]);
  });

  it.each([2, 10, 30])('leave the old database or the restored one beside a restore (%i of them)', async (count) => {
    const kind = kindCalled('restore');
    const installation = await open(kind.changes);
    await kind.prepare(installation);
    await installation.save();
    const before = await installation.snapshot();
    await succeed(installation, kind.args(installation));
    const after = await installation.snapshot();
    await installation.restoreSaved();

    const commands = concurrentCommands(count - 1, installation.engine, 'restore');
    const run = async (): Promise<void> => {
      const [restored, ...others] = await together(installation, [
        kind.args(installation),
        ...commands.map(({ args }) => args),
      ]);
      if (restored === undefined) throw new Error('nothing was run');
      requireEnds(others, commands);
      requireEnds([restored], [{ args: kind.args(installation), ends: [0, restoreRefused] }]);
      const expected = restored.exitCode === 0 ? after : before;
      expect(differenceOf(await installation.snapshot(), expected)).toBeNull();
      expect([...(await installation.leftovers()), ...partialsOf(installation)]).toEqual([]);
      await succeed(installation, []);
    };
    expect(await failuresOf(installation.engine, [{ title: `${count} beside a restore`, run }])).toEqual([]);
  });
});

function describeInstallations(
  title: string,
  spec: (open: (changes: Kind['changes']) => Promise<TestInstallation>) => void,
): void {
  describe(`${title} (sqlite)`, () => spec(sqliteInstallation));
  describePostgres(
    `${title} (postgresql)`,
    () => spec((changes) => postgresInstallation({ server: requirePostgres().url, changes })),
    'tools',
  );
}
