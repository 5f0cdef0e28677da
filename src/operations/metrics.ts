import { readFileSync } from 'node:fs';
import { exitCodes } from '../errors/exit-codes.ts';
import type { State } from '../model/state.ts';
import { isStream, writeAtomically } from '../platform/durable-file.ts';
import { type Metric, metricTexts } from '../report/run-end.ts';
import type { RunRecord } from '../report/run-record.ts';
import type { RunEnd } from './run-report.ts';

const stateNames = {
  fresh: 1,
  current: 1,
  behind: 1,
  drifted: 1,
  corrupted: 1,
  partial: 1,
  unversioned: 1,
  ahead: 1,
  foreign: 1,
  elsewhere: 1,
  interrupted: 1,
  unreadable: 1,
} as const satisfies Record<State['kind'], 1>;

/** The samples of a metric: labels, as they are written, to values. */
type Samples = ReadonlyMap<string, number>;

/**
 * Writes the metrics of a run in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). A metric without a value from this run keeps its
 * value in the file.
 * @param healthyAt the time of the last successful run, from the state folder; null if none is recorded there
 * @throws Error of the file system
 */
export function writeMetrics(file: string, record: RunRecord, end: RunEnd, healthyAt: Date | null): void {
  writeAtomically(file, renderMetrics(record, end, readPrevious(file), healthyAt));
}

/** Renders the metrics file. @param former the text of the present file; empty if there is none */
export function renderMetrics(record: RunRecord, end: RunEnd, former: string, healthyAt: Date | null): string {
  const before = parseSamples(former);
  const now = samplesOf(record, end);
  const remembered = healthyAt === null ? null : unlabelled(healthyAt.getTime() / 1000);
  return metricTexts
    .flatMap(([name, help]) => {
      const samples =
        now[name] ?? before.get(name) ?? (name === 'db_init_last_success_timestamp_seconds' ? remembered : null);
      if (samples === null) return [];
      return [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} gauge`,
        ...[...samples].map(([labels, value]) => `${name}${labels} ${value}`),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function samplesOf(record: RunRecord, end: RunEnd): Readonly<Partial<Record<Metric, Samples>>> {
  const at = unlabelled(end.finishedAt.getTime() / 1000);
  const backup = record.steps.findLast((step) => step.kind === 'backup');
  // a run that failed while it was writing leaves an unknown state
  const isSeen = record.before !== null || record.after !== null;
  return {
    db_init_info: new Map([[`{version=${JSON.stringify(end.version)}}`, 1]]),
    ...(isSeen && {
      db_init_state: new Map(
        Object.keys(stateNames).map((state) => [`{state="${state}"}`, record.after?.state === state ? 1 : 0]),
      ),
    }),
    db_init_exit_code: unlabelled(end.exitCode),
    db_init_last_run_timestamp_seconds: at,
    db_init_last_run_duration_seconds: unlabelled((end.finishedAt.getTime() - end.startedAt.getTime()) / 1000),
    ...(end.exitCode === exitCodes.healthy && { db_init_last_success_timestamp_seconds: at }),
    ...(record.committed !== null && { db_init_last_change_timestamp_seconds: at }),
    ...(backup?.kind === 'backup' && {
      db_init_last_backup_timestamp_seconds: at,
      db_init_last_backup_size_bytes: unlabelled(backup.bytes),
    }),
  };
}

const unlabelled = (value: number): Samples => new Map([['', value]]);

/** The text of the present file; empty if it cannot be read. Reading a device or a pipe might never end. */
function readPrevious(file: string): string {
  try {
    return isStream(file) ? '' : readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Parses the samples that db-init wrote. Skips all other lines. */
function parseSamples(text: string): ReadonlyMap<string, Samples> {
  const found = new Map<string, Map<string, number>>();
  for (const [, name = '', labels = '', value = ''] of text.matchAll(
    /^(db_init_\w+)(\{[^}\n]*\})? (\d+(?:\.\d+)?)$/gm,
  )) {
    const samples = found.get(name) ?? new Map<string, number>();
    found.set(name, samples.set(labels, Number(value)));
  }
  return found;
}
