import { describe, expect, it } from 'vitest';
import { openRecord, type Step } from '../../../src/report/run-record.ts';

const backup: Step = { kind: 'backup', path: '/b/x.zip', bytes: 1, milliseconds: 2 };
const revision = (id: string): Step => ({ kind: 'revision', revision: id, milliseconds: 3 });

describe('the record of a run', () => {
  it('keeps the steps in order, and the path of the backup', () => {
    const { record, ...recorder } = openRecord();
    recorder.step(backup);
    recorder.attempt();
    recorder.step(revision('002'));
    expect(record.steps).toEqual([backup, revision('002')]);
    expect(record.backup).toBe('/b/x.zip');
  });

  it('forgets the steps of an attempt that was rolled back when the next attempt begins', () => {
    const { record, ...recorder } = openRecord();
    recorder.step(backup);
    recorder.attempt();
    recorder.step(revision('002'));
    recorder.attempt();
    recorder.step(revision('002'));
    recorder.step(revision('003'));
    expect(record.steps).toEqual([backup, revision('002'), revision('003')]);
  });

  it('has no outcome for a run that failed', () => {
    expect(openRecord().record).toMatchObject({ after: null, committed: null, swap: null });
  });

  it('keeps the steps up to the last commit', () => {
    const { record, ...recorder } = openRecord();
    recorder.attempt();
    recorder.step(revision('002'));
    recorder.committed('committed');
    recorder.attempt();
    recorder.step(revision('003'));
    expect(record.committed).toEqual([revision('002')]);
    recorder.committed('unknown');
    expect(record.committed).toBe('unknown');
  });

  it('forgets what was committed during a swap that is undone', () => {
    const { record, ...recorder } = openRecord();
    recorder.swap({ action: 'restore', phase: 'swapping', incoming: 'a', outgoing: 'b' });
    recorder.committed('committed');
    recorder.swap(null);
    expect(record).toMatchObject({ committed: null, swap: null });
  });
});
