import type { Assessment } from '../assessment/observation.ts';
import type { Archive } from '../archive/reader.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { namesOf } from '../database/target-name.ts';
import { Failure } from '../errors/failure.ts';
import { loadHead } from '../schema/expected-schema.ts';
import { assess } from '../assessment/assess.ts';
import { gateExitCode, reportAssessment, type StateReport, verifyExitCode } from '../assessment/state-report.ts';
import { renderStatus, renderVerdict } from '../report/status.ts';
import { type Commands, commandsFor } from '../report/commands.ts';
import type { JsonObject } from '../report/output.ts';
import type { CommandContext, DatabaseCommand } from './context.ts';
import { withDatabase } from './with-database.ts';
import { summaries } from '../report/command-line.ts';

/** The lines for people and the keys for programs that a command adds to the state. */
interface Additions {
  readonly lines: readonly string[];
  readonly facts: JsonObject;
}

/**
 * A command that reads and reports: it never writes, and takes no lock.
 * @param basis what the exit code depends on: on what the gate would do now, or only on the present schema
 */
export function inspectionCommand(
  name: string,
  summary: string,
  basis: 'gate' | 'schema',
  render: (report: StateReport, seen: Assessment, commands: Commands, more: readonly string[]) => string,
  findAdditions: (database: string, config: Config) => Promise<Additions> = () =>
    Promise.resolve({ lines: [], facts: {} }),
): DatabaseCommand {
  return {
    name,
    summary,
    usage: '',
    flags: [],
    once: true,
    run: async (context: CommandContext) => {
      const { config } = context;
      const archive = basis === 'gate' ? await archiveAtStart(context) : null;
      const orders = basis === 'gate' ? await ordersOf(context) : {};
      return withDatabase(context, name, 'read', async (database) => {
        const assessed = await assess(database, config, 'whole');
        const seen =
          basis === 'gate'
            ? await withRestoreAtStart(assessed, archive, database, context)
            : { ...assessed, obstacle: null };
        const exitCode = basis === 'gate' ? gateExitCode(seen) : verifyExitCode(seen);
        const report = reportAssessment(database, { ...seen, ...orders }, await loadHead(database.engine), exitCode);
        const { lines, facts } = await findAdditions(database.name, config);
        context.output.result(render(report, seen, commandsFor(context.config), lines), { ...report, ...facts });
        return exitCode;
      });
    },
  };
}

/** The archive that a start would restore first; null if there is none. @throws Failure `archive-rejected` */
export async function archiveAtStart(context: CommandContext): Promise<Archive | null> {
  const { restoreFrom } = context.config;
  if (restoreFrom.length === 0) return null;
  const { findArchiveAtStart } = await import('../restore/restore-at-start.ts');
  return findArchiveAtStart(restoreFrom, context);
}

/** The commands of TT_RUN_ONCE, for the assessment. @throws Failure of `ordersAtStart` */
export async function ordersOf({
  config,
  commandLine,
}: Pick<CommandContext, 'config' | 'commandLine'>): Promise<Pick<Assessment, 'orders'>> {
  if (config.runOnce.length === 0) return {};
  const { ordersAtStart } = await import('./run-once.ts');
  return { orders: await ordersAtStart(config, commandLine) };
}

/** Adds the restore that the gate would do first, or the obstacle to it. */
export async function withRestoreAtStart(
  seen: Assessment,
  archive: Archive | null,
  live: Database,
  context: Pick<CommandContext, 'config' | 'signal'>,
): Promise<Assessment> {
  const { observation } = seen;
  // the gate does not open a file if the log of another copy is beside it
  const closed = observation.kind === 'not-seen' && observation.sideFile !== undefined;
  if (archive === null || closed) return seen;
  const { obstacleAtStart } = await import('../restore/restore-at-start.ts');
  const obstacle = (await live.findEntryObstacle()) ?? (await obstacleAtStart(archive, live, context));
  return { ...seen, obstacle, restores: archive.file };
}

const status = inspectionCommand(
  'status',
  summaries.status,
  'gate',
  renderStatus,
  async (_, { backupFolder, database }) => {
    const { findNewestBackup } = await import('../backup/retention.ts');
    const { describeNewest, listNewest } = await import('../report/backup-list.ts');
    // an unreadable folder is reported by the command that writes there
    const newest = await findNewestBackup(backupFolder, namesOf(database)).catch(() => null);
    return { lines: listNewest(newest), facts: { lastBackup: describeNewest(newest) } };
  },
);

export const statusCommand: DatabaseCommand = {
  ...status,
  async run(context) {
    try {
      return await status.run(context);
    } catch (error) {
      if (error instanceof Failure && error.problem.kind === 'unreachable') await logDataVolume(context);
      throw error;
    }
  },
};

/** Logs the state of the data volume, if it is mounted here: it may show why the server does not start. */
async function logDataVolume({ config, log }: CommandContext): Promise<void> {
  if (config.database.kind !== 'postgresql') return;
  const { dataVolume, describeDataVolume } = await import('../report/connection-messages.ts');
  const { inspectDataVolume } = await import('../platform/data-volume.ts');
  const { findTools } = await import('../database/postgres/client-tools.ts');
  const majors = (await findTools('pg_dump')).map(({ major }) => major);
  for (const line of describeDataVolume(inspectDataVolume(dataVolume), majors)) log.warn(line);
}

export const verifyCommand = inspectionCommand('verify', summaries.verify, 'schema', renderVerdict);
