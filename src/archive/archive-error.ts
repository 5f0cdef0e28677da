import { codeOf } from '../errors/error-code.ts';
import { type ArchiveFault, Failure, type OtherFile, reasonOf } from '../errors/failure.ts';

/** The failure for a rejected archive. */
export function archiveRejected(archive: string, fault: ArchiveFault, options?: ErrorOptions): Failure {
  return new Failure({ kind: 'archive-rejected', archive, fault }, options);
}

/** The fault of an archive that is damaged or not allowed. @param reason a sentence without its full stop */
export function invalid(reason: string): ArchiveFault {
  return { kind: 'invalid', reason };
}

/** A piece of a split archive and an incomplete archive look the same. */
export const pieceOfArchive: ArchiveFault = {
  kind: 'piece',
  reason: 'it is one piece of an archive that was split into several, or it is damaged',
};

/**
 * Turns every error while an archive is read into a rejection of the archive: a bad byte must not look like a bug of
 * db-init.
 */
export function toArchiveRejected(archive: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  return archiveRejected(archive, faultOf(archive, error), { cause: error });
}

/** The reason of a rejection or of any other error. */
export function rejectionReason(error: unknown): string {
  if (!(error instanceof Failure) || error.problem.kind !== 'archive-rejected') return reasonOf(error);
  const { fault } = error.problem;
  switch (fault.kind) {
    case 'other-format':
      return `it is no archive, but ${otherFiles[fault.file.kind]}`;
    case 'missing':
      return 'there is no such file';
    case 'wrapped':
      return `it is no archive, or wrapped up (${fault.by})`;
    case 'unknown-objects':
      return `it holds ${fault.objects.length} objects that TimeTracker does not make`;
    case 'invalid':
    case 'piece':
    case 'stream':
    case 'too-large':
    case 'unusable':
    case 'no-tool':
    case 'access':
      return fault.reason;
  }
}

/** A short description of each other format, for messages and tables. */
const otherFiles = {
  sql: 'a plain SQL dump',
  dump: 'a dump of pg_dump',
  sqlite: 'an SQLite database file',
  export: 'an export for reading',
  folder: 'files that are no backup, or one that was packed otherwise',
} as const satisfies Record<OtherFile['kind'], string>;

function faultOf(archive: string, error: unknown): ArchiveFault {
  switch (codeOf(error) ?? '') {
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'missing', places: [archive] };
    case 'EACCES':
    case 'EPERM':
      return { kind: 'access', reason: 'the file may not be read by the user that db-init runs as' };
    default:
      return invalid(`it is damaged (${reasonOf(error).replace(/\.$/, '')})`);
  }
}
