import { codeOf } from '../errors/error-code.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import type { ArchiveFault } from '../errors/obstacles.ts';
import type { ArchiveDefect } from '../model/archive-defect.ts';

export function archiveRejected(archive: string, fault: ArchiveFault, options?: ErrorOptions): Failure {
  return new Failure({ kind: 'archive-rejected', archive, fault }, options);
}

/** The fault of an archive that is damaged or not allowed. */
export function invalid(defect: ArchiveDefect): ArchiveFault {
  return { kind: 'invalid', defect };
}

/** A defect that is found where the name of the archive is not known: `toArchiveRejected` adds it. */
export class DefectError extends Error {
  override readonly name = 'DefectError';
  readonly defect: ArchiveDefect;

  constructor(defect: ArchiveDefect) {
    super(defect.kind);
    this.defect = defect;
  }
}

/**
 * Turns every error while an archive is read into a rejection of the archive: a bad byte must not look like a bug of
 * db-init.
 */
export function toArchiveRejected(archive: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  return archiveRejected(archive, faultOf(archive, error), { cause: error });
}

function faultOf(archive: string, error: unknown): ArchiveFault {
  if (error instanceof DefectError) return invalid(error.defect);
  switch (codeOf(error) ?? '') {
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'missing', places: [archive] };
    case 'EACCES':
    case 'EPERM':
      return { kind: 'access' };
    default:
      return invalid({ kind: 'unreadable', reason: reasonOf(error) });
  }
}
