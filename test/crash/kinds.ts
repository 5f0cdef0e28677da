import type { Engine } from '../../src/model/engine.ts';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { release, sqliteFile, state } from '../support/fixtures.ts';
import { restoreSql } from '../support/restore-sql.ts';
import type { Changes } from './postgres-environment.ts';
import type { TestInstallation } from './test-installation.ts';

/** A kind of work that is killed. */
export interface Kind {
  readonly name: string;
  readonly engines: readonly Engine[];
  /** The objects that it changes on PostgreSQL. */
  readonly changes: Changes;
  /** Prepares an empty installation for the work. */
  prepare(installation: TestInstallation): Promise<void>;
  args(installation: TestInstallation): readonly string[];
  /** Whether all rows of the core tables must be there after it. */
  readonly keepsRows: boolean;
  /** The share of random instants: 1 is TEST_CRASH_INSTANTS. */
  readonly share: number;
}

const both: readonly Engine[] = ['postgresql', 'sqlite'];
const archives = join(import.meta.dirname, '../fixtures/archives');
const archiveOf = (engine: Engine): string =>
  join(archives, engine === 'sqlite' ? 'sqlite-v5.10.0-patched.zip' : 'pg-v5.0.0-pgdump15.zip');
const archiveFor = ({ engine }: TestInstallation): string => archiveOf(engine);

/** A SQLite database whose rows all fit PostgreSQL. */
let bareFile = '';

/** The quarantine of an installation. */
const held = new WeakMap<TestInstallation, string>();

const gate = (): readonly string[] => [];
const few = 0.12;

/** A small seed, so that it takes no longer than other work. */
const fewRows = [
  '--clients=2',
  '--time-entries=20',
  '--days-back=5',
  '--expenses=2',
  '--comments=2',
  '--stock-movements=2',
  '--invoices=2',
];

async function old(installation: TestInstallation): Promise<void> {
  if (installation.engine === 'postgresql')
    await restoreSql(installation.url, release('pg', 'v1.5.1', 'before.sql.gz'));
  else copyFileSync(await sqliteFile(release('sqlite', 'v1.5.1', 'before.db.gz')), fileOf(installation));
}

const fileOf = ({ url }: TestInstallation): string => url.slice('sqlite:///'.length);

async function current(installation: TestInstallation): Promise<void> {
  await old(installation);
  await succeed(installation, [], { TT_BACKUP_BEFORE_MIGRATE: 'never' });
}

/** Runs a command that must succeed. */
export async function succeed(
  installation: TestInstallation,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { exitCode, all } = await installation.run(args, more);
  if (exitCode !== 0) throw new Error(`db-init ${args.join(' ')} ended with ${exitCode}:\n${all}`);
}

const work = { engines: both, changes: 'content', keepsRows: true, share: few } as const;
const restored = { ...work, changes: 'databases', keepsRows: false, share: 1, prepare: current } as const;

export const kinds: readonly Kind[] = [
  { ...work, name: 'fresh', prepare: () => Promise.resolve(), args: gate },
  { ...work, name: 'behind', prepare: old, args: gate },
  {
    ...work,
    name: 'corrupted',
    engines: ['postgresql'],
    prepare: ({ url }) => restoreSql(url, state('polluted')),
    args: gate,
  },
  {
    ...work,
    name: 'drifted',
    async prepare(installation) {
      await current(installation);
      await installation.execute('DROP TABLE task_checklist_items; DROP INDEX ix_time_entries_billable_start_time');
    },
    args: () => ['repair'],
  },
  {
    ...work,
    name: 'unversioned',
    async prepare(installation) {
      await old(installation);
      await installation.execute('DROP TABLE alembic_version');
    },
    args: () => ['adopt'],
  },
  {
    ...work,
    name: 'reset',
    keepsRows: false,
    prepare: old,
    args: ({ name }) => ['reset', '--yes-delete-all-data', name],
  },
  {
    ...work,
    name: 'quarantine',
    keepsRows: false,
    prepare: old,
    args: () => ['quarantine', 'create', '--all', '--yes'],
  },
  {
    ...work,
    name: 'quarantine restore',
    keepsRows: false,
    async prepare(installation) {
      await current(installation);
      await succeed(installation, ['quarantine', 'create', '--all', '--yes']);
      const { all } = await installation.run(['quarantine', 'list']);
      held.set(installation, /\S*quarantine_\w+/.exec(all)?.[0] ?? '');
    },
    args: (installation) => ['quarantine', 'restore', held.get(installation) ?? ''],
  },
  {
    ...work,
    name: 'seed',
    prepare: current,
    args: () => ['seed', ...fewRows],
  },
  { ...work, name: 'backup', changes: 'databases', share: 1, prepare: current, args: () => ['backup', 'create'] },
  { ...restored, name: 'restore', args: (installation) => ['restore', archiveFor(installation), '--yes'] },
  {
    ...restored,
    name: 'undo',
    async prepare(installation) {
      await current(installation);
      await succeed(installation, ['restore', archiveFor(installation), '--yes']);
    },
    args: () => ['restore', '--undo', '--yes'],
  },
  {
    ...restored,
    name: 'restore row by row',
    share: few,
    async prepare(installation) {
      await current(installation);
      if (installation.engine === 'postgresql')
        bareFile = await sqliteFile(release('sqlite', 'v3.6.0', 'before.db.gz'));
    },
    args: ({ engine }) => ['restore', engine === 'sqlite' ? archiveOf('postgresql') : bareFile, '--yes'],
  },
  {
    ...restored,
    name: 'restore by schemas',
    engines: ['postgresql'],
    changes: 'schemas',
    share: 0.3,
    args: (installation) => ['restore', archiveFor(installation), '--yes'],
  },
  {
    ...restored,
    name: 'undo by schemas',
    engines: ['postgresql'],
    changes: 'schemas',
    share: few,
    async prepare(installation) {
      await current(installation);
      await succeed(installation, ['restore', archiveFor(installation), '--yes']);
    },
    args: () => ['restore', '--undo', '--yes'],
  },
];

/** @throws Error if there is none of that name */
export function kindCalled(name: string): Kind {
  const kind = kinds.find((candidate) => candidate.name === name);
  if (kind === undefined) throw new Error(`there is no kind of work called ${name}`);
  return kind;
}
