import type { Problem } from '../failure.ts';
import { listRows } from './adoption-text.ts';
import { capital, commands, untouched } from './advice.ts';
import { describeFailedBackup, describeUntidyBackups } from './backup-text.ts';
import type { Notice } from './banner.ts';
import { describeQuarantineObstacle } from './quarantine-text.ts';
import { describeRejection } from './archive-text.ts';
import { describeResetObstacle } from './reset-text.ts';
import { describeRestoreObstacle } from './restore-text.ts';
import { describeSeedRefusal } from './seed-text.ts';
import { describeRefusal, forcedAdoption, unreadable } from './refusals.ts';
import { describeFailedMigration, describeVerdict, listDifferences } from './verdicts.ts';

/** The one place where problems become sentences. */
export function describeProblem(problem: Problem): Notice {
  switch (problem.kind) {
    case 'usage':
      return {
        title: 'This command cannot be run',
        happened: [problem.message],
        safe: untouched,
        options: [
          problem.command === undefined
            ? `See which commands and options there are.\n${commands.help}`
            : `If that is what you want, say so.\n  ${problem.command}`,
        ],
      };
    case 'configuration':
      return {
        title: 'The configuration cannot be used',
        happened: problem.faults.map(({ variable, problem: text }) => `- ${variable}: ${text}`),
        safe: 'nothing was connected to, nothing was changed.',
        options: [
          `Correct the variables above in .env or docker-compose.yml, then start again.\n${commands.gate}`,
          'Every variable is explained in .env.example.',
        ],
      };
    case 'unsupported-server':
      return {
        title: `PostgreSQL ${problem.version} is too old`,
        happened: ['db-init needs PostgreSQL 13 or newer; TimeTracker itself is published for PostgreSQL 16.'],
        safe: untouched,
        options: [
          `Dump the database with the old server, then restore it in a newer one.\n${commands.dump}`,
          'Do not just raise the image tag: a newer server does not read the data directory of an older one.',
        ],
      };
    case 'unfit-encoding':
      return {
        title: `The encoding of the database lacks signs that TimeTracker needs: ${problem.database}`,
        happened: [
          `The database is encoded in ${problem.encoding}. The first rows of a new schema hold signs (✈️) that only UTF8 ` +
            "has; the application's own migrations would fail there, too.",
        ],
        safe: untouched,
        options: [
          'Create a database in UTF8, give its name in DATABASE_URL, then start again.\n' +
            '  docker compose exec db createdb -U timetracker -T template0 -E UTF8 --locale C.UTF-8 timetracker_utf8\n' +
            commands.gate,
          `If this one holds rows that you want to keep, make a backup before, and restore it into the new one.\n${commands.backup}\n${commands.restore}`,
        ],
      };
    case 'transaction-pooler':
      return {
        title: 'The database is reached through a transaction-mode pooler',
        happened: [
          'The server session changes between two statements, so something like PgBouncer in transaction mode stands ' +
            'between db-init and PostgreSQL. The lock that keeps two runs apart would not hold there.',
        ],
        safe: untouched,
        options: ["Give db-init the server's own address in DATABASE_URL; the application may keep the pooler's."],
      };
    case 'network-file-system':
      return {
        title: `The SQLite file would lie on ${problem.fileSystem}`,
        happened: [
          `${problem.path} is a network file system. The file locks that SQLite relies on are not dependable there: ` +
            'two writers can destroy the database.',
        ],
        safe: untouched,
        options: [
          'Put the data on a local disk or a Docker volume.',
          'Use PostgreSQL.',
          'If you are certain that locks work there and that one machine alone uses the file, set TT_ALLOW_NETWORK_FS=true.',
        ],
      };
    case 'unreachable':
      return {
        title: `The database cannot be reached: ${problem.database}`,
        happened: [`No connection within ${problem.seconds} seconds. The last reason: ${problem.reason}.`],
        safe: 'nothing was changed.',
        options: [
          'Look whether the database runs, and what it says.\n  docker compose ps db\n  docker compose logs db',
          'Compare host and port in DATABASE_URL with the service: within compose the host is the name of the service (db).',
          'A slow disk or a long crash recovery needs more time: set TT_WAIT_TIMEOUT (seconds).',
        ],
      };
    case 'connection-lost':
      return {
        title: `The connection was lost: ${problem.database}`,
        happened: [`${capital(problem.reason)}.`],
        safe: 'what was not committed was rolled back by the server.',
        options: [
          `Start again: the database is looked at anew.\n${commands.gate}`,
          'Look what the database says of it.\n  docker compose logs db',
        ],
      };
    case 'no-such-database':
      return {
        title: `There is no database called ${problem.name}`,
        happened: [`The server of ${problem.database} answers, but it has no database of that name.`],
        safe: 'nothing was changed.',
        options: [
          'Compare the name at the end of DATABASE_URL with POSTGRES_DB of the database service.',
          `Create it, if it was never there.\n  docker compose exec db createdb -U timetracker ${problem.name}`,
          'POSTGRES_DB only counts while the database volume is empty: later changes have no effect.',
        ],
      };
    case 'access-denied':
      return {
        title: `Access denied: ${problem.database}`,
        happened: [`${capital(problem.reason)}.`],
        safe: 'nothing was changed.',
        options: [
          'Compare user and password in DATABASE_URL with POSTGRES_USER and POSTGRES_PASSWORD of the database service.',
          'POSTGRES_PASSWORD only counts while the database volume is empty. To change it later:\n' +
            "  docker compose exec db psql -U timetracker -c '\\password' timetracker",
          'If the reason speaks of TLS or certificates, look at sslmode and sslrootcert in DATABASE_URL.',
        ],
      };
    case 'file-access-denied':
      return {
        title: `The SQLite file cannot be written: ${problem.file}`,
        happened: [`This process (${problem.user}) may not write there: ${problem.reason}.`],
        safe: 'nothing was changed.',
        options: [
          'Give the folder of the file, and the file, to the user that TimeTracker and db-init run as (1000 in the images).\n' +
            // the compose files take every capability from db-init, and then root may neither look into a folder nor give it away
            '  docker compose run --rm --user 0 --cap-add CHOWN --cap-add DAC_OVERRIDE --entrypoint chown db-init -R 1000:1000 /data',
          'Or run both containers as the owner of the files: `user: "uid:gid"` in docker-compose.yml.',
          'If the volume is mounted read-only (`:ro`), remove that.',
        ],
      };
    case 'missing-rights':
      return {
        title: `The database user may not do what is needed: ${problem.database}`,
        happened: problem.rights.map(({ action }) => `- It may not ${action}.`),
        safe: untouched,
        options: [
          'Let a superuser or the owner of the database run this in that database, then start again.\n' +
            problem.rights.map(({ remedy }) => `  ${remedy}`).join('\n'),
        ],
      };
    case 'locked':
      return {
        title: 'Another run holds the lock',
        happened: [`Waited ${problem.seconds} seconds for: ${problem.holder.description}.`],
        safe: 'the other run goes on; this one changed nothing.',
        options: [
          `Let it finish, then start again.\n${commands.gate}`,
          'A migration of a very large database may need longer: set TT_LOCK_TIMEOUT (seconds).',
          'If that run is stuck, stop its container; the lock ends with it, and what it had begun is rolled back.',
        ],
      };
    case 'unreadable':
      return unreadable(problem.database, problem.reason);
    case 'refused':
      return describeRefusal(problem.database, problem.refusal);
    case 'adoption-refused':
      return {
        title: `The schema is not that of ${listRows(problem.revisions)}: ${problem.database}`,
        happened: ['Compared with it, this is missing or different:', ...listDifferences(problem.mismatches)],
        safe: untouched,
        options: [
          `Let the revision be found by the schema.
${commands.adopt} --dry-run`,
          'Put right by hand what is missing or different, then start again.',
          `Stamp it all the same, after a backup: later revisions may fail, and what is missing stays missing.
${commands.backup}
${forcedAdoption(problem.revisions)}`,
        ],
      };
    case 'migration-failed':
      return describeFailedMigration(problem.failed);
    case 'verification-failed':
      return describeVerdict(problem.database, problem.verdict);
    case 'backup-failed':
      return describeFailedBackup(problem.database, problem.obstacle, problem.purpose);
    case 'backups-not-listed':
    case 'backups-not-pruned':
      return describeUntidyBackups(problem);
    case 'archive-rejected':
      return describeRejection(problem.archive, problem.fault, problem.atStart === true);
    case 'restore-refused':
      return describeRestoreObstacle(problem.database, problem.obstacle);
    case 'quarantine-refused':
      return describeQuarantineObstacle(problem.database, problem.obstacle);
    case 'reset-refused':
      return describeResetObstacle(problem.database, problem.obstacle);
    case 'seed-refused':
      return describeSeedRefusal(problem.database, problem.state);
    case 'interrupted':
      return {
        title: 'Interrupted',
        happened: [`The run was stopped by ${problem.signal}.`],
        safe: 'what was not finished was rolled back.',
        options: [`Start again when it suits you.\n${commands.gate}`],
      };
  }
}

/** Adds to what is told of a failed run where the safety backup lies that it had made. */
export function withBackup(notice: Notice, backup: string | null): Notice {
  if (backup === null) return notice;
  const safe = `${notice.safe} Beside that, the database as it was before this run is in the safety backup ${backup}.`;
  return { ...notice, safe };
}
