import type { ArchiveFault } from '../failure.ts';
import { capital, commands } from './advice.ts';
import type { Notice } from './banner.ts';

const safe = 'nothing was changed, and nothing of the archive was left behind.';

/** Why an archive is not restored. */
export function describeRejection(archive: string, fault: ArchiveFault): Notice {
  const title = `The archive cannot be restored: ${archive}`;
  switch (fault.kind) {
    case 'invalid':
      return {
        title,
        happened: [`${capital(fault.reason)}.`],
        safe,
        options: [
          'If it is a copy, copy it once more and compare the sizes and checksums (sha256sum) of both files.',
          `See which other backups there are, and take one of them.\n${commands.backups}`,
        ],
      };
    case 'too-large':
      return {
        title,
        happened: [`${capital(fault.reason)}.`, 'That is how archives look that are made to fill a disk.'],
        safe,
        options: [
          `If you know where it comes from and that it is right, raise ${fault.variable} in .env and try again.`,
          `See which other backups there are, and take one of them.\n${commands.backups}`,
        ],
      };
    case 'unusable':
      return {
        title,
        happened: [`${capital(fault.reason)}.`],
        safe,
        options: [
          'Use the image of db-init that belongs to the release of TimeTracker that made the archive, or a newer one.',
          `See which other backups there are, and take one of them.\n${commands.backups}`,
        ],
      };
    case 'other-format':
      return describeOtherFormat(archive, fault.format);
  }
}

type Format = Extract<ArchiveFault, { kind: 'other-format' }>['format'];

function describeOtherFormat(archive: string, format: Format): Notice {
  const { what, options } = adviceOn(archive, format);
  return {
    title: `This is no archive of TimeTracker: ${archive}`,
    happened: [
      `It is ${what}. db-init restores the ZIP archives that TimeTracker and db-init make, which hold the uploads as well.`,
    ],
    safe,
    options,
  };
}

function adviceOn(archive: string, format: Format): { readonly what: string; readonly options: readonly string[] } {
  switch (format) {
    case 'sql':
      return {
        what: 'a plain SQL dump',
        options: [
          intoNewDatabase(
            'backup.sql',
            'psql -U timetracker -d timetracker -v ON_ERROR_STOP=1 --single-transaction < backup.sql',
          ),
          'A dump that was made of an SQLite file is read into a new file first. Restore that, and db-init says how.\n' +
            '  sqlite3 restored.db < backup.sql',
        ],
      };
    case 'dump':
      return {
        what: 'a dump of pg_dump, in a format that pg_restore reads',
        options: [
          intoNewDatabase(
            'backup.dump',
            'pg_restore -U timetracker -d timetracker --exit-on-error --single-transaction --no-owner < backup.dump',
          ),
        ],
      };
    case 'sqlite':
      return { what: 'an SQLite database file', options: [inPlaceOfTheFile(archive)] };
  }
}

/** The former database stays: it is renamed, and nothing is restored over it. */
function intoNewDatabase(file: string, restore: string): string {
  return [
    `Restore it into a new database, and keep the former one under another name; ${file} is the file on your machine. The last command has db-init bring it up to date.`,
    '  docker compose stop app',
    `  docker compose exec db psql -U timetracker -d postgres -c 'ALTER DATABASE timetracker RENAME TO timetracker_before'`,
    '  docker compose exec db createdb -U timetracker timetracker',
    `  docker compose exec -T db ${restore}`,
    commands.gate,
  ].join('\n');
}

/** The side files go with the former file: a log that is left behind brings the old tables back. Nothing is overwritten. */
function inPlaceOfTheFile(archive: string): string {
  const putAside =
    'cd /data && mkdir before && for f in timetracker.db timetracker.db-wal timetracker.db-shm timetracker.db-journal; ' +
    'do if [ -e $f ]; then mv $f before/; fi; done';
  return [
    'Copy it to the place of the database while the application is stopped, and keep the former file with all that lies beside it. The last command has db-init bring it up to date.',
    '  docker compose stop app',
    `  docker compose run --rm --entrypoint sh db-init -c '${putAside}'`,
    `  docker compose run --rm --entrypoint cp db-init -n ${quoted(archive)} /data/timetracker.db`,
    commands.gate,
  ].join('\n');
}

/** As one word of a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
