import { expect, it } from 'vitest';
import { describeProblem } from '../../../src/report/error-messages.ts';
import { commandsOf, sqliteAddress } from '../../support/commands.ts';
import { claimOf } from '../../support/safe-sentence.ts';
import { type Banner, samples } from './banners.ts';
import { casesOn } from './cases.ts';

const reasons = {
  words: 'it says in words what the owner has to decide, or to do outside of db-init',
  again:
    'its command begins the run again once the cause is gone, which the tests of faults and crashes do in this state',
  server: 'it needs a server of its own, with other settings or of another version',
  docker: 'it needs containers: a server of its own in one, or an image',
  machine: 'it needs another user, another file system or a full disk of the machine',
  statements:
    'its statements are run by the tests of this state: gate/rights, gate/schemas, gate/owners-postgres, recovery/health, repair/other-names',
  likewise: 'the same sentence with the same commands is followed in another state of the same kind',
  release: 'it is for a schema or a release that this one cannot make',
} as const;

/** Options without a case: their banners, words of them, and the reason. */
const notFollowed: readonly (readonly [banner: RegExp, words: RegExp, why: string])[] = [
  [/^unsupported-server$/, /^Dump the database with the old server/, reasons.server],
  [/^transaction-pooler$/, /^Set DATABASE_URL of db-init/, reasons.server],
  [/^unreachable$/, /^See who is connected|^Or raise the limit/, reasons.likewise],
  [/connection-lost$/, /^Start again|^Check whether the database server is running/, reasons.again],
  [/^closed-database$/, /^Before that, find out which database/, reasons.words],
  [/^broken-indexes$/, /^Stop the/, reasons.statements],
  [/^refused partial$/, /^Stop the application, give the tables/, reasons.statements],
  [/^broken-indexes$/, /^Before that, save the data/, reasons.likewise],
  [/^verification-failed$/, /^See every difference|^Start again/, reasons.release],
  [/^backups-not-pruned$/, /^Make a new backup/, reasons.machine],
  [/^interrupted$/, /^Start again when you want/, reasons.again],
  [/^file-access-denied$/, /^The volume or folder is mounted read-only/, reasons.words],
  [/^refused unversioned$/, /^Start TimeTracker 1\.3 or 1\.4/, reasons.release],
  [/^refused unversioned$/, /^If it is another application's/, reasons.words],
  [/^refused unversioned$/, /^Start the gate/, reasons.again],
  [/^refused interrupted$/, /^Start the/, reasons.again],
  [/^refused corrupted$/, /^Stop the connected programs/, 'PostgreSQL alone tells who is connected'],
  [
    /^refused unreadable$/,
    /write-ahead log away|^If the file was copied/,
    'nothing lies beside a database of PostgreSQL',
  ],
  [
    /^unreadable$/,
    /^If |^Or restore a backup/,
    'it is the text of the refusal of an unreadable database, which is followed',
  ],
  [/^archive-rejected stream$/, /^Check that the program that sends/, reasons.words],
  [/^archive-rejected stream$/, /^If it is not an archive|^See which other backups/, reasons.likewise],
  [
    /^restore-refused taken-over$/,
    /^See the state of the database/,
    'crash/stopped makes the state, and looks at the database',
  ],
  [
    /^run-once-refused$/,
    /^Mount a volume there|^Or unset TT_RUN_ONCE, and/,
    'gate/run-once makes the state: whether a volume is mounted is looked up in the table of mounts of a container',
  ],
  [/^archive-rejected other-format$/, /^Set DATABASE_URL to a/, 'it asks for the other engine'],
  [/^archive-rejected other-format$/, /^It creates databases or roles|^Start a server of its own/, reasons.docker],
  [/^archive-rejected other-format$/, /^It was made from an SQLite file/, 'it asks for the other engine'],
  [/^archive-rejected no-tool$/, /^Use a newer image|^See which other/, 'SQLite needs no tool'],
  [/^restore-refused prepared-transactions$/, /^End them with the program/, reasons.server],
  [/^restore-refused file-use-unknown$/, /^Stop the application/, 'restore/connected gives --disconnect in this state'],
  [/depended-upon$/, /^Drop the objects that depend|^Or keep it/, reasons.words],
  [/^restore-refused unfinished$/, /^Start again/, reasons.again],
  [/^restore-refused unfinished$/, /^If the (?:reason|journal)/, reasons.words],
  [/^restore-refused failed$/, /^Correct that, then restore again|^Or start with/, reasons.again],
  [
    /^quarantine-refused rows-stay$/,
    /^Correct the rows/,
    'restore/sqlite-to-postgresql mends such rows and tries again',
  ],
  [/^quarantine-refused changed$/, /^See what it contains now/, reasons.likewise],
  [
    /^backup-failed (?:not-proven|failed)$/,
    /^Make the backup again|^Correct that|^Until then, save|^Or set TT_BACKUP_BEFORE_MIGRATE=auto/,
    'the same commands are followed where there is no room',
  ],
  [/^backup-failed no-tool$/, /^Use a newer|^Until then|^Correct that|^Or set TT_BACKUP/, 'SQLite needs no tool'],
  [
    /^network-file-system$/,
    /^Put the data on a local disk|^Use PostgreSQL|^If you are certain/,
    'it needs a network file system',
  ],
  [
    /^failed (?:memory|read-only|rights|damage)$/,
    /^Give the|^If the volume|^Before anything else, stop|^Check the disk|^Or restore|^If a backup/,
    'the disk under a SQLite file, or the memory, would have to fail in the middle of a migration',
  ],
  [/^failed disk-full-here$/, /^Free space in the folder/, 'the disk of temporary files would have to be full'],
  [/^failed lock-table$/, /^Let a superuser raise/, reasons.server],
  [/^failed dependents$/, /^Save these definitions/, reasons.statements],
  [/^failed lock-timeout$/, /^Stop the application|^Or (?:wait|end)/, reasons.again],
  [/^failed lock-timeout$/, /^Let the program that prepared/, reasons.server],
  [/^failed/, /^Correct what the reason names/, reasons.again],
  [/^failed/, /^Until then, you can start the former/, reasons.words],
  [/^failed other$/, /./, 'the text is that of rows that a revision forbids, which is followed'],
];

const addresses = { postgresql: undefined, sqlite: sqliteAddress } as const;
const engines = ['postgresql', 'sqlite'] as const;

/** Banners of one engine only. */
const ofOneEngine: Readonly<Partial<Record<Banner, (typeof engines)[number]>>> = {
  'unsupported-server': 'postgresql',
  'unfit-encoding': 'postgresql',
  'transaction-pooler': 'postgresql',
  unreachable: 'postgresql',
  'connection-lost': 'postgresql',
  'no-such-database': 'postgresql',
  'closed-database': 'postgresql',
  'access-denied': 'postgresql',
  'missing-rights': 'postgresql',
  'broken-indexes': 'postgresql',
  'refused elsewhere': 'postgresql',

  'restore-refused others-are-connected': 'postgresql',
  'restore-refused prepared-transactions': 'postgresql',
  'restore-refused depended-upon': 'postgresql',
  'quarantine-refused others-are-connected': 'postgresql',
  'quarantine-refused depended-upon': 'postgresql',
  'quarantine-refused rows-stay': 'postgresql',
  'reset-refused others-are-connected': 'postgresql',
  'reset-refused blocking-objects': 'postgresql',
  'restore-refused former-dropped': 'postgresql',
  'failed connection-lost': 'postgresql',
  'failed lock-table': 'postgresql',
  'failed connections': 'postgresql',
  'failed deadlock': 'postgresql',
  'failed cancelled': 'postgresql',
  'failed event-triggers': 'postgresql',
  'network-file-system': 'sqlite',
  'file-access-denied': 'sqlite',
  'state-folder-denied': 'sqlite',
  'restore-refused rows-do-not-fit': 'postgresql',
  'restore-refused file-in-use': 'sqlite',
  'restore-refused file-use-unknown': 'sqlite',
  'restore-refused symbolic-link': 'sqlite',
  'quarantine-refused file-in-use': 'sqlite',
  'reset-refused file-in-use': 'sqlite',
};

/** The sentence of an option, as a case sees it. */
const wordsOf = (option: string): string =>
  option
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('  '))
    .join(' ');

const isBanner = (name: string): name is Banner => Object.hasOwn(samples, name);

/** Every option, by engine and banner, with the commands of compose and of a program. */
const printed = engines.flatMap((engine) =>
  Object.keys(samples)
    .filter(isBanner)
    .filter((banner) => (ofOneEngine[banner] ?? engine) === engine)
    .flatMap((banner) => {
      const all = ['docker compose run --rm db-init', 'db-init'].flatMap((prefix) =>
        samples[banner].flatMap((problem) =>
          describeProblem(problem, commandsOf(addresses[engine], prefix)).options.map(wordsOf),
        ),
      );
      return [...new Set(all)].map((words) => ({ engine, banner, words }));
    }),
);

it('each option of each banner is tried by a case, or has a reason why it is not', () => {
  const used = new Set<unknown>();
  const cases = engines.flatMap((engine) => casesOn(engine).map((each) => ({ ...each, engine })));
  const uncovered = printed.filter(({ engine, banner, words }) => {
    const followed = cases.some(
      (each) =>
        each.engine === engine && each.banner === banner && each.options.some((option) => option.words.test(words)),
    );
    const left = notFollowed.filter((entry) => entry[0].test(banner) && entry[1].test(words));
    if (!followed) for (const entry of left) used.add(entry);
    return !followed && left.length === 0;
  });
  expect(uncovered.map(({ engine, banner, words }) => `${engine}, ${banner}: ${words.slice(0, 80)}`)).toEqual([]);
  expect(notFollowed.filter((entry) => !used.has(entry)).map(([banner, words]) => `${banner} ${words}`)).toEqual([]);
});

it('the Safe sentence of each banner is true of the database afterwards', () => {
  const all = Object.values(samples).flat();
  const silent = all.filter((problem) => {
    const { safe } = describeProblem(problem, commandsOf());
    try {
      claimOf(safe);
      return false;
    } catch {
      return true;
    }
  });
  expect(silent.map((problem) => describeProblem(problem, commandsOf()).safe)).toEqual([]);
});
