import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The integration tests that take most of the time, the longest first: each restores, kills, waits or migrates many times.
 * They are a suite of their own (`npm run test:slow`), so that `npm test` ends within a few minutes.
 */
const slow = [
  'report/banner-options-postgres-b',
  'report/banner-options-postgres-a',
  'repair/health',
  'restore/limited-rights',
  'database/sqlite-swap',
  'restore/killed-restore',
  'adopt/adopt-releases-postgres',
  'report/banner-options-sqlite',
  'adopt/adopt',
  'upgrade/every-revision',
  'backup/safety',
  'reset/reset',
  'backup/streams',
  'restore/safe-sentences',
  'restore/sqlite-to-postgresql',
  'restore/postgresql-to-sqlite',
  'restore/uploads',
  'migration/history-files',
  'upgrade/upgrades-postgres-a',
  'upgrade/states',
  'gate/safe-sentences',
  'seed/seed',
  'gate/schemas',
  'upgrade/upgrades-postgres-b',
  'upgrade/owners-objects',
  'gate/owner-objects',
  'database/wait-for-server',
  'restore/archives',
  'database/connection-loss',
  'database/hostile-dumps',
  'upgrade/interrupted-sqlite-upgrade',
  'restore/running-restore',
  'repair/repair',
  'adopt/adopt-releases-sqlite',
  'restore/other-sessions',
  'restore/former-database',
  'migration/seeding-steps',
  'database/silent-server',
  'repair/repair-by-gate',
  'gate/interruption',
  'restore/untrusted-archive',
  'gate/assessment',
  'database/sqlite-side-files',
  'gate/lock',
  'reset/reset-interruption',
  'gate/run-once',
].map((name) => `test/integration/${name}.test.ts`);

/** The longest of the other suites: vitest, which does not know yet how long they take, would begin with large files. */
const long = [
  'test/crash/concurrency.test.ts',
  'test/crash/gate-postgresql.test.ts',
  'test/exhaustive/repair-postgresql-a.test.ts',
  'test/exhaustive/repair-postgresql-b.test.ts',
  'test/exhaustive/repair-sqlite.test.ts',
];
const longestFirst = [...slow, ...long];

/** Begins with the longest files; the others follow in vitest's own order. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = longestFirst.findIndex((file) => moduleId.endsWith(file));
      return place === -1 ? longestFirst.length : place;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- this sort is vitest's, and returns a new list
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

/** Of every project. The files of a worker share their modules: to load the product costs more than most tests do. */
const common = { isolate: false, setupFiles: ['test/support/cleanup.setup.ts'] };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // what was transformed once is not transformed again, neither for another worker nor at the next run
    experimental: { fsModuleCache: true },
    projects: [
      { test: { ...common, name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          ...common,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: slow,
          globalSetup: ['test/support/postgres.setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: 'slow',
          include: slow,
          globalSetup: ['test/support/postgres.setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Too slow for every run: all that can be lost, one thing at a time.
        test: {
          ...common,
          name: 'exhaustive',
          include: ['test/exhaustive/**/*.test.ts'],
          globalSetup: ['test/support/postgres.setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        // Killed, cut off and crowded, at every step and by chance: what the next start makes of it.
        test: {
          ...common,
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          globalSetup: ['test/support/crash.setup.ts'],
          testTimeout: 1_200_000,
          hookTimeout: 300_000,
        },
      },
      {
        // What the machine, the server and the person can do wrong: full disks, odd settings, odd names, nonsense.
        test: {
          ...common,
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/support/postgres.setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          // The files share one Docker daemon and its published ports.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
