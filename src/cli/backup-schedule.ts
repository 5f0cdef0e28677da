import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { judgeScheduler, keepSchedule, parseSchedule, type Schedule } from '../backup/schedule.ts';
import { displayNameOf, namesOf } from '../database/target-name.ts';
import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import {
  describeHealth,
  describeSchedule,
  describeSchedulerEvent,
  scheduleFaults,
  unfitSchedule,
} from '../report/backup-messages.ts';
import type { CommandContext } from './context.ts';
import { readSchedulerState, schedulerStateOf, writeSchedulerState } from '../state-folder/scheduler-state.ts';

/**
 * Every night at 3:30: after the usual jobs at midnight, and outside the hour that is skipped when the clock goes
 * forward.
 */
const nightly = '30 3 * * *';

/** Milliseconds: within this time the scheduler notices that the clock was changed or the machine slept. */
const longestSleep = 60_000;

/**
 * Makes backups at fixed times until it is stopped. Each backup is a separate process, `backup create`, which takes the
 * lock, sends the notifications, and ends cleanly on SIGTERM. Its memory is freed when it ends.
 * @throws Failure `usage`
 */
export async function scheduleBackups(context: CommandContext, keep: number | null): Promise<ExitCode> {
  const { config, log, signal, arguments: given } = context;
  const cron = given.options.get('cron') ?? nightly;
  // undefined if TZ has an unknown value, although its type is string
  const named: string | undefined = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const timeZone = named ?? null;
  const schedule = read(cron, timeZone);
  const database = displayNameOf(config.database);
  const file = schedulerStateOf(config);
  const { findNewestBackup } = await import('../backup/retention.ts');
  log[timeZone === null ? 'warn' : 'info'](describeSchedule({ database, cron, timeZone, keep }));
  try {
    await keepSchedule({
      schedule,
      now: () => new Date(),
      waitUntil: (time) => waitUntil(time, signal),
      // if the folder cannot be read, the backup fails and says so
      newest: () =>
        findNewestBackup(config.backupFolder, namesOf(config.database), 'manual').then(
          (newest) => newest?.manifest.createdAt ?? null,
          () => null,
        ),
      makeBackup: (due) => makeBackup(due, keep, signal),
      remember: (state) => writeSchedulerState(file, { pid: process.pid, ...state }),
      tell(event) {
        const level = event.kind === 'failed' ? 'error' : 'info';
        log[level](describeSchedulerEvent(event));
      },
      signal,
    });
  } finally {
    rmSync(file, { force: true });
  }
  return signal.reason === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
}

/** Reports whether the scheduler of this container is running and its last backup succeeded. */
export function checkSchedule(context: CommandContext): ExitCode {
  const state = readSchedulerState(schedulerStateOf(context.config));
  const health = judgeScheduler(state !== null && isAlive(state.pid) ? state : null, new Date());
  context.output.result(describeHealth(health), { ...health });
  return health.kind === 'healthy' ? exitCodes.healthy : exitCodes.backupFailed;
}

function read(cron: string, timeZone: string | null): Schedule {
  const refuse = (reason: string): Failure => new Failure({ kind: 'usage', message: unfitSchedule(cron, reason) });
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5 && !/^@\w+$/.test(cron.trim()))
    throw refuse(scheduleFaults.fields(cron.trim() === '' ? 0 : fields.length));
  try {
    const schedule = parseSchedule(cron, timeZone);
    if (schedule.next(new Date()) !== null) return schedule;
  } catch (error) {
    throw refuse(scheduleFaults.misread(reasonOf(error)));
  }
  throw refuse(scheduleFaults.noDay);
}

async function waitUntil(time: Date, signal: AbortSignal): Promise<void> {
  for (let left = Infinity; (left = time.getTime() - Date.now()) > 0;) {
    await sleep(Math.min(left, longestSleep), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
}

/** Milliseconds between SIGTERM and SIGKILL. */
const grace = 2000;

/**
 * Runs `backup create`. If it does not end on SIGTERM, it is killed; the next backup removes its partial file.
 * @returns the exit code of the backup, once its process has ended
 */
function makeBackup(due: Date, keep: number | null, signal: AbortSignal): Promise<number> {
  const [, program = ''] = process.argv;
  const kept = keep === null ? [] : ['--keep', String(keep)];
  const words = ['backup', 'create', '--since', due.toISOString(), ...kept];
  return new Promise((resolve) => {
    const backup = spawn(process.execPath, [...process.execArgv, program, ...words], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    let killer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      backup.kill('SIGTERM');
      killer = setTimeout(() => backup.kill('SIGKILL'), grace);
    };
    signal.addEventListener('abort', stop);
    const end = (exitCode: number): void => {
      clearTimeout(killer);
      signal.removeEventListener('abort', stop);
      resolve(exitCode);
    };
    backup.on('error', () => end(exitCodes.unexpected));
    backup.on('close', (exitCode) => end(exitCode ?? exitCodes.unexpected));
    if (signal.aborted) stop();
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
