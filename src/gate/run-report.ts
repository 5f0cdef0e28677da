import { closeSync, constants, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Problem } from '../failure.ts';
import type { ExitCode } from '../exit-codes.ts';
import { redaction, renderJson } from '../report/output.ts';
import type { Outcome, RunRecord, Step } from '../report/record.ts';
import { loadHead } from '../schema/promise.ts';
import { reportLook, type StateReport } from './state-report.ts';

/** How a run began and ended. */
export interface RunEnd {
  readonly version: string;
  readonly command: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly exitCode: ExitCode;
  /** Null if it succeeded. */
  readonly problem: { readonly kind: Problem['kind'] | 'unexpected'; readonly message: string } | null;
}

/** The object in the file that TT_REPORT_FILE names. Times are ISO 8601 in UTC. */
export interface RunReport {
  readonly version: string;
  readonly command: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Null if none was reached. */
  readonly database: (Pick<StateReport, 'engine' | 'serverVersion'> & { readonly name: string }) | null;
  readonly before: Pick<StateReport, 'state' | 'revisions' | 'problems'> | null;
  readonly plan: Pick<StateReport, 'action' | 'pending'> | null;
  /** What was done; of a run that failed in its transaction: what was done and rolled back. */
  readonly steps: readonly Step[];
  /** Null if the run failed while it was writing: `status` tells what is there now. */
  readonly after: Outcome | null;
  readonly backup: string | null;
  readonly exitCode: ExitCode;
  readonly problem: RunEnd['problem'];
}

/** Puts a record into the form that programs read. */
export async function reportRun(
  { database, before, steps, after, backup }: RunRecord,
  { startedAt, finishedAt, ...end }: RunEnd,
): Promise<RunReport> {
  const seen =
    database === null || before === null
      ? null
      : reportLook(database, before, await loadHead(database.engine), end.exitCode);
  return {
    version: end.version,
    command: end.command,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    database:
      database === null
        ? null
        : { name: database.name, engine: database.engine, serverVersion: database.serverVersion },
    before: seen && { state: seen.state, revisions: seen.revisions, problems: seen.problems },
    plan: seen && { action: seen.action, pending: seen.pending },
    steps: steps.map(withWholeTimes),
    after,
    backup,
    exitCode: end.exitCode,
    problem: end.problem,
  };
}

function withWholeTimes(step: Step): Step {
  return 'milliseconds' in step ? { ...step, milliseconds: Math.round(step.milliseconds) } : step;
}

/**
 * Writes the report whole or not at all: who reads the file never finds half of it. A device or a pipe stays what it is.
 * @param secrets what must not stand in it
 * @throws Error of the file system
 */
export function writeReport(file: string, report: RunReport, secrets: readonly string[]): void {
  const text = `${renderJson(report, redaction(secrets))}\n`;
  if (takesBytes(file)) {
    // who waits for a pipe that nobody reads waits for ever
    const handle = openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      return writeFileSync(handle, text);
    } finally {
      closeSync(handle);
    }
  }
  const partial = `${file}.${process.pid}.partial`;
  try {
    writeFileSync(partial, text, { mode: 0o644 });
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Whether it is something like /dev/stdout, that a file must not take the place of. */
function takesBytes(path: string): boolean {
  try {
    const stats = statSync(path);
    return stats.isCharacterDevice() || stats.isFIFO() || stats.isSocket() || stats.isBlockDevice();
  } catch {
    return false;
  }
}
