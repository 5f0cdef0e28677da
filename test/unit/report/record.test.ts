import { describe, expect, it } from 'vitest';
import { openRecord, type Step } from '../../../src/report/record.ts';

const backup: Step = { kind: 'backup', path: '/b/x.zip', bytes: 1, milliseconds: 2 };
const revision = (id: string): Step => ({ kind: 'revision', revision: id, milliseconds: 3 });

describe('the record of a run', () => {
  it('keeps steps in order, and where the backup lies', () => {
    const { record, ...recorder } = openRecord();
    recorder.step(backup);
    recorder.attempt();
    recorder.step(revision('002'));
    expect(record.steps).toEqual([backup, revision('002')]);
    expect(record.backup).toBe('/b/x.zip');
  });

  it('forgets what an attempt did that was rolled back, when the next one begins', () => {
    const { record, ...recorder } = openRecord();
    recorder.step(backup);
    recorder.attempt();
    recorder.step(revision('002'));
    recorder.attempt();
    recorder.step(revision('002'));
    recorder.step(revision('003'));
    expect(record.steps).toEqual([backup, revision('002'), revision('003')]);
  });

  it('does not know what a run left behind that failed', () => {
    expect(openRecord().record).toEqual({ database: null, before: null, steps: [], after: null, backup: null });
  });
});
