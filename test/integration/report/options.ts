import assert from 'node:assert/strict';
import { cp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDatabase } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { runInProcess } from '../../faults/run-in-process.ts';
import { noVolumes } from '../../faults/volumes.ts';
import { execute } from '../backup/backups.ts';
import { copyDatabase, type EngineName, type Installation, install } from '../restore/restores.ts';
import type { Banner } from './banners.ts';
import { optionsOf, type PrintedOption, type Reader, reader, type Runner } from './follow.ts';

/** A row of the database that the backup was made of. */
export const marker = 'the row that must come back';

/** A banner that was printed, in its state. */
export interface Met {
  readonly site: Installation;
  readonly machine: Reader;
  /** What was run, and ended in the banner. */
  readonly words: readonly string[];
  /** Takes away what stands in the way: the session, the lock. */
  readonly letGo: () => Promise<void>;
}

/** An archive that lies outside of the backup folder. */
export const outside = 'outside.zip';

/** What a person does in the words of an option, before its commands. */
export type Deed = (met: Met) => unknown;

/** What is true once an option was followed. */
export interface Outcome {
  /** Whether its commands only show something, and may exit with the code of what they show. */
  readonly shows: boolean;
  readonly check: (met: Met) => Promise<unknown>;
}

/** An option of a banner: words of it, and how it is followed; or why it is not. */
export type Option =
  | { readonly kind: 'followed'; readonly words: RegExp; readonly outcome: Outcome; readonly deed: Deed | null }
  | { readonly kind: 'left'; readonly words: RegExp; readonly why: string };

export const follow = (words: RegExp, outcome: Outcome, deed: Deed | null = null): Option => ({
  kind: 'followed',
  words,
  outcome,
  deed,
});
export const leave = (words: RegExp, why: string): Option => ({ kind: 'left', words, why });

/** A banner in a state of its own, with each of its options in their order. */
export interface Case {
  readonly banner: Banner;
  readonly title: string;
  readonly code: number;
  /** What is run; default: the gate. `@` stands for the first quarantine, FIRST for the backup, OUTSIDE for one elsewhere. */
  readonly command?: readonly string[];
  readonly env?: (site: Installation) => Readonly<Record<string, string>>;
  /** Makes the state out of a healthy database of which there is a backup. */
  readonly make?: (site: Installation, machine: Reader) => Promise<unknown>;
  /** Stands in the way for as long as it is not let go. */
  readonly hold?: (site: Installation) => Promise<() => Promise<unknown>>;
  /** Whether it needs root on Linux, which may mount folders and run db-init as somebody else. */
  readonly needsRoot?: boolean;
  /** How db-init runs, if not within the process of the tests. */
  readonly runner?: (site: Installation) => Promise<Runner>;
  readonly options: readonly Option[];
}

const prepared = new Map<EngineName, Promise<Installation>>();

/** A healthy database of which there is a backup: made once for each file of tests. */
async function prepare(engine: EngineName): Promise<Installation> {
  const site = await install(engine);
  for (const words of [['gate'], ['backup', 'create']]) {
    const { exitCode, all } = await runInProcess(words, site.env);
    if (exitCode !== 0) throw new Error(all);
    if (words[0] === 'gate') await execute(site.database, `INSERT INTO clients (name) VALUES ('${marker}')`);
  }
  return site;
}

async function installPrepared(engine: EngineName): Promise<Installation> {
  const first = prepared.get(engine) ?? prepare(engine);
  prepared.set(engine, first);
  const [site, { database, data }] = [await install(engine), await first];
  await copyDatabase(database, site.database);
  await cp(data, site.data, { recursive: true });
  return site;
}

/** @returns what makes the state again that is there now: the database, what lies beside it, and the backups */
async function rememberState(site: Installation): Promise<() => Promise<void>> {
  const { engine, database, data, root } = site;
  const folders = engine === 'sqlite' ? [data, dirname(database.name)] : [data];
  for (const [index, folder] of folders.entries()) await cp(folder, join(root, `state-${index}`), { recursive: true });
  const state = engine === 'sqlite' ? null : await createDatabase();
  // a database that is not there is a state as well
  const isThere =
    state !== null &&
    (await copyDatabase(database, state).then(
      () => true,
      () => false,
    ));
  return async () => {
    for (const [index, folder] of folders.entries()) {
      await rm(folder, { recursive: true });
      await cp(join(root, `state-${index}`), folder, { recursive: true });
    }
    if (state !== null && isThere) await copyDatabase(state, database);
    else if (state !== null) await database.drop();
  };
}

/** Follows each option of these banners to the letter. SQLite's are those of docker compose, the others of a program. */
export function followOptions(engine: EngineName, cases: readonly Case[]): void {
  const title = `each option of a banner, followed to the letter (${engine})`;
  const spec = (): void => {
    for (const given of cases) {
      it.skipIf(given.needsRoot === true && noVolumes !== null)(`${given.title} (${given.code})`, async () =>
        expect(await followEach(engine, given)).toBe(given.options.length),
      );
    }
  };
  if (engine === 'sqlite') describe(title, spec);
  else describePostgres(title, spec, 'tools');
}

/** @returns how many options its banner has */
async function followEach(engine: EngineName, { code, command = ['gate'], env, make, hold, runner, options }: Case) {
  const site = await installPrepared(engine);
  const way = engine === 'sqlite' ? 'docker compose' : 'program';
  const machine = await reader(site, way, { env: env?.(site) ?? {}, runner: (await runner?.(site)) ?? null });
  await make?.(site, machine);
  const again = options.length > 1 ? await rememberState(site) : () => Promise.resolve();
  const [quarantine = ''] = command.includes('@')
    ? (/^\S*quarantine_\w+/m.exec((await machine.dbInit('quarantine', 'list')).all) ?? [])
    : [];
  const archive = (await readdir(site.backups)).find((name) => name.endsWith('.zip')) ?? '';
  const named: Readonly<Record<string, string>> = {
    '@': quarantine,
    FIRST: archive,
    OUTSIDE: join(site.root, outside),
  };
  const words = command.map((word) => named[word] ?? word);

  let printed: readonly PrintedOption[] | null = null;
  for (const [number, option] of options.entries()) {
    if (option.kind === 'left') continue;
    const release = await hold?.(site);
    let held = release !== undefined;
    const letGo = async (): Promise<void> => {
      if (held) await release?.();
      held = false;
    };
    try {
      if (printed === null || hold !== undefined) printed = await refused(machine, { words, code, way, options });
      const { words: sentence = '', commands = [] }: Partial<PrintedOption> = printed[number] ?? {};
      const met = { site, machine, words, letGo };
      await option.deed?.(met);
      const { shows, check } = option.outcome;
      if (commands.length > 0) {
        const { exitCode, all } = await machine.follow(commands);
        assert.equal(shows ? 0 : exitCode, 0, `${sentence}\n${commands.join('\n')}\n${all}`);
      }
      await check(met);
      if (!shows || option.deed !== null) await again();
    } finally {
      await letGo();
      machine.reset();
    }
  }
  printed ??= await refused(machine, { words, code, way, options });
  return printed.length;
}

/** Meets the banner, whose options have to be the expected ones. */
async function refused(
  machine: Reader,
  {
    words,
    code,
    way,
    options,
  }: {
    readonly words: readonly string[];
    readonly code: number;
    readonly way: string;
    readonly options: readonly Option[];
  },
): Promise<readonly PrintedOption[]> {
  const { exitCode, all } = await machine.dbInit(...words);
  expect({ exitCode, all }).toMatchObject({ exitCode: code });
  expect(way === 'program' && all.includes('docker compose')).toBe(false);
  const printed = optionsOf(all);
  const expected = options.map((option) => option.words);
  const unexpected = printed.filter((option, index) => expected[index]?.test(option.words) !== true);
  expect({ unexpected, missing: expected.slice(printed.length) }).toEqual({ unexpected: [], missing: [] });
  return printed;
}
