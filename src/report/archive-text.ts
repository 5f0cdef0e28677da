import type { Engine } from '../model/engine.ts';
import { basename } from 'node:path';
import type { ArchiveFault } from '../errors/failure.ts';
import { capitalize, newerTools, shownArchive } from './next-steps.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import { formatBytes } from './format.ts';
import { describeOtherFile, describeWrapped, restoreFile } from './other-file-text.ts';
import { describeUnknownObjects } from './unknown-objects-text.ts';

const safe = 'nothing was changed, and nothing of the archive was left behind.';

const another = (commands: Commands): string =>
  `See which other backups there are, and take one of them.\n${commands.backups}\n${commands.restore}`;

/**
 * Why an archive is not restored.
 * @param atStart whether TT_RESTORE_FROM asked for it: then every start ends here
 */
export function describeRejection(archive: string, fault: ArchiveFault, atStart: boolean, commands: Commands): Notice {
  const notice = describeFault(archive, fault, commands);
  if (!atStart) return notice;
  const without = `Or start without it: take TT_RESTORE_FROM out of .env.\n${commands.gate}`;
  return { ...notice, options: [...notice.options, without] };
}

function describeFault(archive: string, fault: ArchiveFault, commands: Commands): Notice {
  const title = `The archive cannot be restored: ${shownArchive(archive)}`;
  switch (fault.kind) {
    case 'missing':
      return {
        title: `There is no such archive: ${basename(archive)}`,
        happened: [
          fault.places.length === 1 ? `${archive} is not there.` : `Neither ${fault.places.join(' nor ')} is there.`,
        ],
        safe,
        options: [
          `See which backups there are; the name alone will do.\n${commands.backups}`,
          `One that lies elsewhere is put into the backup folder first. Run this where it lies, with its name.\n` +
            `${commands.upload(basename(archive))}\n${commands.run('restore', basename(archive))}`,
        ],
      };
    case 'unknown-objects':
      return describeUnknownObjects(archive, fault.objects, commands);
    case 'invalid':
      return {
        title,
        happened: [`${capitalize(fault.reason)}.`],
        safe,
        options: [
          'If it is a copy, copy it once more and compare the sizes and checksums (sha256sum) of both files.',
          another(commands),
        ],
      };
    case 'access':
      return {
        title,
        happened: [`${capitalize(fault.reason)}.`],
        safe,
        options: [
          `Give the file to that user, then try again.\n${commands.give(archive)}\n${commands.run('restore', archive)}`,
          another(commands),
        ],
      };
    case 'too-large':
      return {
        title,
        happened: [`${capitalize(fault.reason)}.`, 'That is how archives look that are made to fill a disk.'],
        safe,
        options: [
          `If you know where it comes from and that it is right, raise ${fault.variable} in .env and try again.`,
          another(commands),
        ],
      };
    case 'unusable':
      return {
        title,
        happened: [`${capitalize(fault.reason)}.`],
        safe,
        options: [
          'Use the image of db-init that belongs to the release of TimeTracker that made the archive, or a newer one.',
          another(commands),
        ],
      };
    case 'no-tool':
      return {
        title,
        happened: [`${capitalize(fault.reason)}.`],
        safe,
        options: [newerTools, another(commands)],
      };
    case 'piece':
      return {
        title,
        happened: [`${capitalize(fault.reason)}.`],
        safe,
        options: [
          'Pieces that were simply cut (backup.zip.001, backup.zip.002) are put together in the order of their numbers, where they lie.\n' +
            `  cat backup.zip.0* > whole.zip\n${restoreFile('whole.zip', commands)}`,
          'Of a split ZIP archive (backup.z01, backup.zip), let zip make a whole one.\n' +
            `  zip -s 0 backup.zip --out whole.zip\n${restoreFile('whole.zip', commands)}`,
          another(commands),
        ],
      };
    case 'stream':
      return {
        title: `No archive came on standard input`,
        happened: [`${formatBytes(fault.received)} came, and they are no whole archive: ${fault.reason}.`],
        safe,
        options: [
          'See whether the program that sends the archive ended without an error, and send it again. In bash, `set -o pipefail` ' +
            'makes a pipe fail with any of its programs; docker compose run wants -T, docker run -i.',
          `If it is no archive of TimeTracker, put it into a file: db-init then says how that is restored.\n${restoreFile('FILE', commands)}`,
          another(commands),
        ],
      };
    case 'other-format':
      return describeOtherFile(archive, fault.file, { safe, another: another(commands), commands });
    case 'wrapped': {
      const { what, options } = describeWrapped(archive, fault.by, commands);
      return { title, happened: [`${capitalize(what)}.`], safe, options: [...options, another(commands)] };
    }
    case 'other-engine':
      return {
        title,
        happened: [`It holds ${engines[fault.held].held}, and DATABASE_URL names ${engines[fault.held].wanted}.`],
        safe,
        options: [`Take a backup of this database.\n${commands.backups}`, engines[fault.held].advice],
      };
  }
}

const engines = {
  sqlite: {
    held: 'a SQLite database',
    wanted: 'a PostgreSQL database',
    advice: 'If this archive is the right one, set DATABASE_URL to a SQLite file (sqlite:////data/timetracker.db).',
  },
  postgresql: {
    held: 'a PostgreSQL database',
    wanted: 'a SQLite database',
    advice:
      'If this archive is the right one, set DATABASE_URL to a PostgreSQL database (postgresql://user:password@db:5432/timetracker).',
  },
} as const satisfies Record<Engine, { held: string; wanted: string; advice: string }>;

export function describeReceiving(folder: string): string {
  return `Receiving an archive on standard input into ${folder}.`;
}
