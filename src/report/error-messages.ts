import { listRows } from './format.ts';
import { type Describers, describerOf } from './by-kind.ts';
import { connectionProblems } from './connection-messages.ts';
import type { Problem, WantedRun } from '../errors/failure.ts';
import { listDifferences } from './schema-differences.ts';
import { describeFailedMigration, describeFailedWork, describeVerdict } from './migration-messages.ts';
import { untouched } from './next-steps.ts';
import { describeFailedBackup, describeBackupFolderProblem } from './backup-messages.ts';
import type { Notice } from './banner.ts';
import { type Commands, commandsAnywhere } from './commands.ts';
import { describeQuarantineObstacle } from './quarantine-messages.ts';
import { describeRejection } from './archive-messages.ts';
import type { RunRecord } from './run-record.ts';
import { describeOnceRefusal } from './run-once-messages.ts';
import { describeResetObstacle, describeSeedRefusal } from './development-messages.ts';
import { describeRestoreObstacle } from './restore-refusals.ts';
import { describeRefusal, describeUnreadable } from './refusals.ts';
import { forcedAdoption } from './schema-refusals.ts';

/** The notice for a problem: the only place where problems become sentences. */
export function describeProblem(problem: Problem, commands: Commands): Notice {
  const described = describe(problem, commands);
  const notice = { ...described, options: described.options.map((option) => withVariables(option, commands)) };
  return commands.note === null ? notice : { ...notice, note: commands.note };
}

/** Adds another way for people without a shell: a variable and a start. */
function withVariables(option: string, commands: Commands): string {
  const line = commands.withoutShell(option.split('\n').filter((each) => each.startsWith('  ')));
  return line === '' ? option : `${option}\n${line}`;
}

/** Title and reasons only, for a message about other work that failed because of this problem. */
export function describeCause(problem: Problem): Pick<Notice, 'title' | 'happened'> {
  return describe(problem, commandsAnywhere);
}

type Table = Describers<Problem, Commands, Notice>;

/** The command or its settings are invalid, or the run was stopped. */
const requests = {
  usage: (problem, commands) => ({
    title: 'This command cannot be run',
    happened: [problem.message],
    safe: untouched,
    options: [wantedRun(problem, commands)],
  }),
  declined: () => ({ title: declined, happened: [], safe: untouched, options: [] }),
  configuration: (problem, commands) => ({
    title: 'The configuration cannot be used',
    happened: problem.faults.map(({ variable, problem: text }) => `- ${variable}: ${text}`),
    safe: 'db-init connected to nothing and changed nothing.',
    options: [
      `Correct the variables above where they are set${commands.compose ? ' (.env, the compose file)' : ''}, then start again.\n${commands.gate}`,
      `See what every variable means.\n${commands.run('help', 'settings')}`,
    ],
  }),
  interrupted: (problem, commands) => ({
    title: 'Interrupted',
    happened: [`The run was stopped by ${problem.signal}.`],
    safe: 'unfinished work was rolled back.',
    options: [`Start again when you want.\n${commands.again()}`],
  }),
} satisfies Partial<Table>;

/** The database was read, and cannot be brought to the head. */
const databaseProblems = {
  unreadable: (problem, commands) => describeUnreadable(problem.database, problem.reason, commands, problem),
  refused: (problem, commands) => describeRefusal(problem.database, problem.refusal, commands),
  'adoption-refused': (problem, commands) => ({
    title: `The schema is not that of ${listRows(problem.revisions)}: ${problem.database}`,
    happened: ['Compared with it, this is missing or different:', ...listDifferences(problem.mismatches)],
    safe: untouched,
    options: [
      `Let db-init find the revision from the schema.\n${commands.adopt} --dry-run`,
      'Correct by hand what is missing or different, then start again.',
      `Make a backup, then stamp it anyway: later revisions may fail, and the missing parts stay missing.
${commands.backup}
${forcedAdoption(problem.revisions, commands)}`,
    ],
  }),
  'migration-failed': (problem, commands) => describeFailedMigration(problem.failed, problem.cause, commands),
  'database-failed': (problem, commands) => describeFailedWork(problem, commands),
  'verification-failed': (problem, commands) => describeVerdict(problem.database, problem.verdict, commands),
} satisfies Partial<Table>;

/** Another command failed or was refused. */
const refusedWork = {
  'backup-failed': (problem, commands) => describeFailedBackup(problem, commands),
  'backups-not-listed': (problem, commands) => describeBackupFolderProblem(problem, commands),
  'backups-not-pruned': (problem, commands) => describeBackupFolderProblem(problem, commands),
  'archive-rejected': (problem, commands) =>
    describeRejection(problem.archive, problem.fault, problem.atStart === true, commands),
  'restore-refused': (problem, commands) => describeRestoreObstacle(problem.database, problem.obstacle, commands),
  'quarantine-refused': (problem, commands) => describeQuarantineObstacle(problem.database, problem.obstacle, commands),
  'reset-refused': (problem, commands) => describeResetObstacle(problem.database, problem.obstacle, commands),
  'seed-refused': (problem, commands) => describeSeedRefusal(problem.database, problem.state, commands),
  'run-once-refused': (problem, commands) => describeOnceRefusal(problem, commands),
} satisfies Partial<Table>;

const describeByKind = describerOf<Problem, Commands, Notice>({
  ...requests,
  ...connectionProblems,
  ...databaseProblems,
  ...refusedWork,
});

function describe(problem: Problem, commands: Commands): Notice {
  return describeByKind(problem.kind, problem, commands);
}

/** The message for a person who declined. */
const declined = 'Nothing was changed: consent was not given.';

/** The message for a person who did not give consent: a sentence and no banner, because nothing went wrong. */
export function describeDeclined({ committed, swap }: Pick<RunRecord, 'committed' | 'swap'>): string {
  // an interrupted restore may have been recovered before the question
  const before = committed !== null || swap !== null;
  return `${before ? 'You did not agree, so this was not done.' : declined}\n`;
}

/** The command that does what the person wanted; how to find it, if that is not known. */
function wantedRun({ command, about, lacking = [] }: Extract<Problem, { kind: 'usage' }>, commands: Commands): string {
  const run = command === undefined ? commands.again(...lacking) : runOf(command, commands);
  const known = command !== undefined || (lacking.length > 0 && run !== commands.gate && run !== '');
  if (known) return `If you want that, run this command.\n${run}`;
  return about !== undefined
    ? `See how ${about} is used.\n${commands.run('help', about)}`
    : `See which commands and options there are.\n${commands.help}`;
}

function runOf({ words, variable }: WantedRun, commands: Commands): string {
  return variable === undefined ? commands.run(...words) : commands.runWith(variable.name, variable.value, ...words);
}
