import type { ArchiveFault } from '../failure.ts';
import { capital } from './advice.ts';
import type { Notice } from './banner.ts';

const safe = 'nothing was changed, and nothing was unpacked.';

/** Why an archive is not restored. */
export function describeRejection(archive: string, fault: ArchiveFault): Notice {
  switch (fault.kind) {
    case 'invalid':
    case 'unusable':
    case 'too-large':
    case 'other-format':
      return {
        title: `The archive cannot be restored: ${archive}`,
        happened: ['reason' in fault ? `${capital(fault.reason)}.` : fault.format],
        safe,
        options: [],
      };
  }
}
