import { describe, expect, it } from 'vitest';
import { openRecord } from '../../../src/report/run-record.ts';
import { withRecord } from '../../../src/report/run-end.ts';
import { claimOf } from '../../support/safe-sentence.ts';

const notice = { title: '', happened: [], safe: 'nothing was changed in the database.', options: [] };
const swap = { action: 'restore', incoming: 'tt_restore_1', outgoing: 'tt_before_1' } as const;

describe('the sentence about what is safe after a failed run', () => {
  it('is that of the problem if nothing was committed', () => {
    const { record, ...recorder } = openRecord();
    recorder.step({ kind: 'revision', revision: '002', milliseconds: 1 });
    recorder.swap({ ...swap, phase: 'preparing' });
    recorder.swap(null);
    expect(withRecord(notice, record)).toEqual(notice);
  });

  it('names what was committed before the failure', () => {
    const { record, ...recorder } = openRecord();
    recorder.step({ kind: 'quarantine', schema: 'tt_quarantine_x', relations: ['a', 'b'] });
    recorder.committed('committed');
    const { safe } = withRecord(notice, record);
    expect(safe).toContain('2 relations moved to the quarantine tt_quarantine_x, with all rows');
    expect(claimOf(safe)).toBe('changed');
    recorder.step({ kind: 'quarantine-restored', schema: 'tt_quarantine_x', relations: ['a', 'b'] });
    recorder.step({ kind: 'quarantine-purged', schema: 'tt_quarantine_y', relations: ['c'] });
    recorder.committed('committed');
    const later = withRecord(notice, record).safe;
    expect(later).toContain('2 relations of the quarantine tt_quarantine_x brought back');
    expect(later).toContain('1 relation of the quarantine tt_quarantine_y deleted for good, as requested');
  });

  it('says that the outcome is unknown if the commit was not answered', () => {
    const { record, ...recorder } = openRecord();
    recorder.committed('unknown');
    expect(claimOf(withRecord(notice, record).safe)).toBe('unknown');
  });

  it.each([
    ['preparing', 'unchanged', /the live database is as it was/],
    ['swapping', 'unknown', /tt_restore_1.*tt_before_1/],
    ['finishing', 'changed', /the restored database is live.*kept as tt_before_1/],
    ['unproven', 'changed', /the restored database is live, but db-init could not verify it.*kept as tt_before_1/],
  ] as const)('follows from the phase of a swap: %s', (phase, claim, words) => {
    const { record, ...recorder } = openRecord();
    recorder.swap({ ...swap, phase });
    const { safe } = withRecord(notice, record);
    expect(safe).toMatch(words);
    expect(claimOf(safe)).toBe(claim);
  });

  it('names the live database after two swaps', () => {
    const { record, ...recorder } = openRecord();
    recorder.swapped({ kind: 'exchange', action: 'restore', kept: 'tt_before_1' });
    recorder.swapped({ kind: 'exchange', action: 'undo', kept: 'tt_before_2' });
    const { safe } = withRecord(notice, record);
    expect(safe).toContain('the database from before the restore is live');
    expect(safe).not.toContain('tt_before_1');
  });
});
