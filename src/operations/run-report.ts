import type { Problem } from '../errors/failure.ts';
import type { ExitCode } from '../errors/exit-codes.ts';
import { writeAtomically } from '../platform/durable-file.ts';
import { createRedactor, renderJson } from '../report/output.ts';
import type { Outcome, RunRecord, Step } from '../report/run-record.ts';
import { loadHead } from '../schema/expected-schema.ts';
import { reportFailure, reportAssessment, type StateReport } from '../assessment/state-report.ts';

export interface RunEnd {
  readonly version: string;
  /** Null if the command line could not be parsed. */
  readonly command: string | null;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly exitCode: ExitCode;
  /** Null if it succeeded. */
  readonly problem: { readonly kind: Problem['kind'] | 'unexpected'; readonly message: string } | null;
}

/** The object in the file that TT_REPORT_FILE names. Times are ISO 8601 in UTC. */
export interface RunReport {
  readonly version: string;
  readonly command: string | null;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Null if the run reached no database. */
  readonly database: (Pick<StateReport, 'engine' | 'serverVersion'> & { readonly name: string }) | null;
  readonly before: Pick<StateReport, 'state' | 'revisions' | 'problems'> | null;
  readonly plan: Pick<StateReport, 'action' | 'pending'> | null;
  /** The steps of the run. If its transaction failed, they include the steps that were rolled back. */
  readonly steps: readonly Step[];
  /** Null if the run failed while it was writing: `status` shows the present state. */
  readonly after: Outcome | null;
  readonly backup: string | null;
  readonly exitCode: ExitCode;
  readonly problem: RunEnd['problem'];
}

/** Converts the record of a run to the object in the report file. */
export async function reportRun(record: RunRecord, end: RunEnd): Promise<RunReport> {
  return reportOf(record, end, await seenBefore(record, end));
}

async function seenBefore({ database, before }: RunRecord, { exitCode }: RunEnd): Promise<StateReport | null> {
  if (database === null || before === null) return null;
  return reportAssessment(database, before, await loadHead(database.engine), exitCode);
}

function reportOf(
  { database, steps, after, backup }: RunRecord,
  { startedAt, finishedAt, ...end }: RunEnd,
  seen: StateReport | null,
): RunReport {
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

/** The object that `--json` prints after a run: the keys of `status --json` for the final state, and the report. */
export type RunState = StateReport & Omit<RunReport, 'database' | 'problem'>;

/**
 * Converts the record of a run to the object that `--json` prints, for a command that failed or has no other result.
 * If the run failed while it was writing, the state is unknown: `state` is null and `revisions` is empty.
 */
export async function reportState(record: RunRecord, end: RunEnd): Promise<RunState> {
  const seen = await seenBefore(record, end);
  const { database, problem, ...report } = reportOf(record, end, seen);
  const nothing = reportFailure(problem === null ? [] : [{ ...problem, object: database?.name ?? '' }], end.exitCode);
  // the run changed nothing, so the observed state is still true
  const unchanged = record.after !== null && record.after.state === seen?.state ? seen : null;
  return {
    ...nothing,
    ...unchanged,
    database: database?.name ?? null,
    engine: database?.engine ?? null,
    serverVersion: database?.serverVersion ?? null,
    state: record.after?.state ?? null,
    revisions: record.after?.revisions ?? [],
    action: seen?.action ?? null,
    problems: problem?.kind === 'refused' && unchanged !== null ? unchanged.problems : nothing.problems,
    ...report,
  };
}

function withWholeTimes(step: Step): Step {
  return 'milliseconds' in step ? { ...step, milliseconds: Math.round(step.milliseconds) } : step;
}

/**
 * Writes the report in one step, so that a reader never finds a part of it. A device or a pipe is written to, not
 * replaced.
 * @param secrets texts that must not appear in the report
 * @throws Error of the file system
 */
export function writeReport(file: string, report: RunReport, secrets: readonly string[]): void {
  writeAtomically(file, `${renderJson(report, createRedactor(secrets))}\n`);
}
