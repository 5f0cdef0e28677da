import assert from 'node:assert/strict';
import { cp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { oncePerFile } from '../../support/cleanup.ts';
import { createDatabase, createSqliteDatabase } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { runInProcess } from '../../support/run-in-process.ts';
import { noVolumes } from '../../faults/volumes.ts';
import { execute } from '../backup/backups.ts';
import { copyDatabase, type EngineName, type Installation, install } from '../restore/restores.ts';
import type { Banner } from './banners.ts';
import { optionsOf, type PrintedOption, type Operator, openOperator, type Runner } from './follow.ts';

/** A row in the database of the backup. */
export const marker = 'the row that must come back';

/** A banner that was printed, in its state. */
export interface Situation {
  readonly installation: Installation;
  readonly operator: Operator;
  /** The command that printed the banner. */
  readonly words: readonly string[];
  /** Removes the obstacle: the session or the lock. */
  readonly release: () => Promise<void>;
}

/** An archive outside of the backup folder. */
export const outside = 'outside.zip';

/** The manual steps of an option before its commands. */
export type Preparation = (situation: Situation) => unknown;

/** The condition after an option was followed. */
export interface Outcome {
  /** Whether its commands only show something, and may exit with the code of the state. */
  readonly shows: boolean;
  readonly check: (situation: Situation) => Promise<unknown>;
}

/** An option of a banner: words of it, and how the test follows it, or the reason why not. */
export type Option =
  | {
      readonly kind: 'followed';
      readonly words: RegExp;
      readonly outcome: Outcome;
      readonly preparation: Preparation | null;
    }
  | { readonly kind: 'left'; readonly words: RegExp; readonly why: string };

export const follow = (words: RegExp, outcome: Outcome, preparation: Preparation | null = null): Option => ({
  kind: 'followed',
  words,
  outcome,
  preparation,
});
export const leave = (words: RegExp, why: string): Option => ({ kind: 'left', words, why });

/** A banner in one state, with each of its options in their order. */
export interface Case {
  readonly banner: Banner;
  readonly title: string;
  readonly code: number;
  /** The command; default: the gate. `@` stands for the first quarantine, FIRST for the backup, OUTSIDE for one in another folder. */
  readonly command?: readonly string[];
  readonly env?: (installation: Installation) => Readonly<Record<string, string>>;
  /** Makes the state from a healthy database that has a backup. */
  readonly make?: (installation: Installation, operator: Operator) => Promise<unknown>;
  /** Makes the obstacle, until it is released. */
  readonly hold?: (installation: Installation) => Promise<() => Promise<unknown>>;
  /** Whether it needs root on Linux, to mount folders and to run db-init as another user. */
  readonly needsRoot?: boolean;
  /** How db-init runs, if not within the process of the tests. */
  readonly runner?: (installation: Installation) => Promise<Runner>;
  readonly options: readonly Option[];
}

/** A healthy database that has a backup. */
async function prepare(engine: EngineName): Promise<Installation> {
  const installation = await install(engine);
  for (const words of [['gate'], ['backup', 'create']]) {
    const { exitCode, all } = await runInProcess(words, installation.env);
    if (exitCode !== 0) throw new Error(all);
    if (words[0] === 'gate') await execute(installation.database, `INSERT INTO clients (name) VALUES ('${marker}')`);
  }
  return installation;
}

const prepared: Readonly<Record<EngineName, () => Promise<Installation>>> = {
  sqlite: oncePerFile(() => prepare('sqlite')),
  postgresql: oncePerFile(() => prepare('postgresql')),
};

async function installPrepared(engine: EngineName): Promise<Installation> {
  const { database, data } = await prepared[engine]();
  const copy = await (engine === 'sqlite' ? createSqliteDatabase() : createDatabase(database.name));
  if (engine === 'sqlite') await copyDatabase(database, copy);
  const installation = await install(engine, { database: copy });
  await cp(data, installation.data, { recursive: true });
  return installation;
}

/** @returns a function that restores the present state: the database, the files or databases beside it, and the backups */
async function rememberState(installation: Installation): Promise<() => Promise<void>> {
  const { engine, database, data, root } = installation;
  const folders = engine === 'sqlite' ? [data, dirname(database.name)] : [data];
  for (const [index, folder] of folders.entries()) await cp(folder, join(root, `state-${index}`), { recursive: true });
  const state = engine === 'sqlite' ? null : await createDatabase();
  // a missing database is a state too
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

/** Follows each option of these banners literally. SQLite's use docker compose, the others a program. */
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

/** @returns the number of options in its banner */
async function followEach(engine: EngineName, { code, command = ['gate'], env, make, hold, runner, options }: Case) {
  const installation = await installPrepared(engine);
  const style = engine === 'sqlite' ? 'docker compose' : 'program';
  const operator = await openOperator(installation, style, {
    env: env?.(installation) ?? {},
    runner: (await runner?.(installation)) ?? null,
  });
  await make?.(installation, operator);
  // after the last option, the state is no longer needed
  const last = options.findLastIndex((option) => option.kind === 'followed');
  const first = options.findIndex((option) => option.kind === 'followed');
  const again = first < last ? await rememberState(installation) : () => Promise.resolve();
  const [quarantine = ''] = command.includes('@')
    ? (/^\S*quarantine_\w+/m.exec((await operator.dbInit('quarantine', 'list')).all) ?? [])
    : [];
  const archive = (await readdir(installation.backups)).find((name) => name.endsWith('.zip')) ?? '';
  const named: Readonly<Record<string, string>> = {
    '@': quarantine,
    FIRST: archive,
    OUTSIDE: join(installation.root, outside),
  };
  const words = command.map((word) => named[word] ?? word);

  let printed: readonly PrintedOption[] | null = null;
  for (const [number, option] of options.entries()) {
    if (option.kind === 'left') continue;
    const end = await hold?.(installation);
    let held = end !== undefined;
    const release = async (): Promise<void> => {
      if (held) await end?.();
      held = false;
    };
    try {
      if (printed === null || hold !== undefined) printed = await refused(operator, { words, code, style, options });
      const { words: sentence = '', commands = [] }: Partial<PrintedOption> = printed[number] ?? {};
      const situation = { installation, operator, words, release };
      await option.preparation?.(situation);
      const { shows, check } = option.outcome;
      if (commands.length > 0) {
        const { exitCode, all } = await operator.follow(commands);
        assert.equal(shows ? 0 : exitCode, 0, `${sentence}\n${commands.join('\n')}\n${all}`);
      }
      await check(situation);
      if (number < last && (!shows || option.preparation !== null)) await again();
    } finally {
      await release();
      operator.reset();
    }
  }
  printed ??= await refused(operator, { words, code, style, options });
  return printed.length;
}

/** Runs the command, and checks that its banner has the expected options. */
async function refused(
  operator: Operator,
  {
    words,
    code,
    style,
    options,
  }: {
    readonly words: readonly string[];
    readonly code: number;
    readonly style: string;
    readonly options: readonly Option[];
  },
): Promise<readonly PrintedOption[]> {
  const { exitCode, all } = await operator.dbInit(...words);
  expect({ exitCode, all }).toMatchObject({ exitCode: code });
  expect(style === 'program' && all.includes('docker compose')).toBe(false);
  const printed = optionsOf(all);
  const expected = options.map((option) => option.words);
  const unexpected = printed.filter((option, index) => expected[index]?.test(option.words) !== true);
  expect({ unexpected, missing: expected.slice(printed.length) }).toEqual({ unexpected: [], missing: [] });
  return printed;
}
