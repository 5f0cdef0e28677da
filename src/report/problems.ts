import type { BackupObstacle, Problem, Verdict } from '../failure.ts';
import type { Refusal } from '../gate/plan.ts';
import type { Mismatch } from '../schema/likeness.ts';
import { describeMatch, listRows, listSets } from './adoption-text.ts';
import type { Notice } from './banner.ts';
import { describeDifference } from './differences.ts';
import { describeUnsafe, sqlFor } from './repair-text.ts';
import type { Unsafe } from '../recovery/repair-plan.ts';
import { describeQuarantineObstacle, listSessions } from './quarantine-text.ts';

/** The commands that people are sent to. Each stands on a line of its own, so that it can be copied. */
const commands = {
  status: '  docker compose run --rm db-init status',
  differences: '  docker compose run --rm db-init status --json',
  adopt: '  docker compose run --rm db-init adopt',
  gate: '  docker compose up -d',
  repair: '  docker compose run --rm db-init repair --dry-run',
  dump: '  docker compose exec db pg_dump -U timetracker timetracker > backup.sql',
  putAside: '  docker compose run --rm db-init quarantine create --yes',
  putAllAside: '  docker compose run --rm db-init quarantine create --all --yes',
  psql: '  docker compose exec db psql -U timetracker timetracker',
  reset: '  docker compose down -v && docker compose up -d',
};

const untouched = 'nothing was changed in the database.';
const giveUp = `LAST RESORT, THIS DELETES ALL DATA: start over with an empty database.\n${commands.reset}`;
const saveFirst = `Save what is there before anything else.\n${commands.dump}`;

/** How many differences a banner lists; `status --json` lists all. */
const shownDifferences = 20;

/** The one place where problems become sentences. */
export function describeProblem(problem: Problem): Notice {
  switch (problem.kind) {
    case 'usage':
      return {
        title: 'This command cannot be run',
        happened: [problem.message],
        safe: untouched,
        options: ['See which commands and options there are.\n  docker compose run --rm db-init help'],
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
            '  docker compose run --rm --user 0 --entrypoint chown db-init -R 1000:1000 /data',
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
${commands.dump}
${forcedAdoption(problem.revisions)}`,
        ],
      };
    case 'migration-failed':
      return describeFailedMigration(problem.failed);
    case 'verification-failed':
      return describeVerdict(problem.database, problem.verdict);
    case 'backup-failed':
      return {
        title: `No backup could be made: ${problem.database}`,
        happened: [describeObstacle(problem.obstacle)],
        safe: `${untouched} An unfinished archive was removed.`,
        options: [
          `Remedy that, then start again.\n${commands.gate}`,
          'TT_BACKUP_BEFORE_MIGRATE=auto goes on without a backup where none can be made; save the database yourself ' +
            `then.\n${commands.dump}`,
        ],
      };
    case 'quarantine-refused':
      return describeQuarantineObstacle(problem.database, problem.obstacle);
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

/** Why a backup could not be made, as a sentence. */
export function describeObstacle(obstacle: BackupObstacle): string {
  switch (obstacle.kind) {
    case 'folder':
      return `The backup folder ${obstacle.folder} cannot be used: ${obstacle.reason}.`;
    case 'no-space': {
      const [needed, free] = [obstacle.needed, obstacle.free].map((bytes) => `${Math.ceil(bytes / 1_000_000)} MB`);
      return `There is too little room in ${obstacle.folder}: ${needed} may be needed, ${free} are free.`;
    }
    case 'no-tool': {
      const { tool, major, found } = obstacle;
      const others = found.length === 0 ? 'there is none here' : `there is only ${tool} ${found.join(', ')} here`;
      return `PostgreSQL ${major} needs ${tool} ${major} or newer: ${others}.`;
    }
    case 'not-proven':
      return `The archive was read back and is not whole: ${obstacle.reason}.`;
    case 'failed':
      return `The reason: ${obstacle.reason}.`;
  }
}

function unreadable(database: string, reason: string): Notice {
  return {
    title: `The database could not be inspected: ${database}`,
    happened: [`${capital(reason)}.`, 'What is in it is not known, and not knowing is a reason to touch nothing.'],
    safe: untouched,
    options: [
      'If another program is at work on the database, let it finish and start again.',
      'If the reason speaks of rights, let the database user read the catalog and alembic_version.',
      'If the reason speaks of a damaged file or page, copy the volume before any attempt to repair it.',
    ],
  };
}

/** Why the gate refuses a state. Each is a section of docs/states.md. */
function describeRefusal(database: string, refusal: Refusal): Notice {
  const { state } = refusal;
  switch (state.kind) {
    case 'fresh':
      return {
        title: `The database is empty, and TT_REQUIRE_EXISTING is set: ${database}`,
        happened: [
          'An existing database was expected here. This is what a lost or wrongly mounted database volume looks like.',
          ...state.traces.map((trace) => `- ${trace}`),
        ],
        safe: untouched,
        options: [
          'Look which volume is mounted, and whether your data is in another one.\n  docker volume ls\n  docker compose config',
          `If a new, empty installation is what you want, unset TT_REQUIRE_EXISTING and start again.\n${commands.gate}`,
        ],
      };
    case 'corrupted':
      return {
        title: `Detected corrupted database state: ${database}`,
        happened: [
          `There are tables, but neither alembic_version nor any core table: ${listOf(state.relations.map(({ name }) => name))}.`,
          cleanupObstacle(refusal),
        ],
        safe: untouched,
        options: corruptedOptions(refusal),
      };
    case 'partial':
      return {
        title: `Partial migration: ${database}`,
        happened: [
          state.revisions.length === 0
            ? 'alembic_version is there, but empty, beside tables that are not core tables.'
            : `alembic_version says ${state.revisions.join(', ')}, but core tables are missing: ${state.missing.join(', ')}.`,
          'Migrations were cut off here, tables were lost, or this is the database of another application.',
        ],
        safe: `${untouched} It is never mended by guessing.`,
        options: [
          `Save what is there, then look at it.\n${commands.dump}\n${commands.status}`,
          `Start over with nothing lost: put everything aside, and let a new schema be made.\n${commands.putAllAside}\n${commands.gate}`,
          'If you have a backup, restore it into an empty database and start again.',
          giveUp,
        ],
      };
    case 'unversioned':
      return describeUnversioned(database, state);
    case 'ahead':
      return {
        title: `The database is newer than this image: ${database}`,
        happened: [
          `It is at ${state.revisions.join(', ')}; this image does not know ${state.unknown.join(', ')}.`,
          'A newer release has migrated it. There is no way down.',
        ],
        safe: untouched,
        options: [
          'Use a newer db-init: one at least as new as the application that migrated this database.\n  docker compose pull && docker compose up -d',
          'If the application is right and db-init alone is old, set TT_ALLOW_NEWER_SCHEMA=true to let it pass unchecked.',
          'To go back to the older application, restore the backup that was made before the upgrade.',
        ],
      };
    case 'drifted':
      return {
        title: `The schema differs from its revision: ${database}`,
        happened: [
          `It says ${state.revisions.join(', ')}, but this is missing or different:`,
          ...listDifferences(state.differences, refusal.unsafe),
          ...(refusal.reason === 'repair-is-off' ? ['It is not mended, because TT_DRIFT is set to fail.'] : []),
          ...(refusal.reason === 'not-mendable' ? ['Nothing is mended while something cannot be mended safely.'] : []),
        ],
        safe: untouched,
        options: [...driftedOptions(refusal), saveFirst, 'Restore a backup that has what is missing.', giveUp],
      };
    case 'foreign':
      return {
        title: `This is another application's database: ${database}`,
        happened: [
          `It has no table of TimeTracker, but the ledger of another migration tool: ${state.ledgers.join(', ')}.`,
        ],
        safe: `${untouched} It is never cleaned.`,
        options: ['Give TimeTracker a database of its own, and its name in DATABASE_URL.'],
      };
    case 'interrupted':
      return {
        title: `A restore did not finish: ${database}`,
        happened: [`Its journal lies at ${state.journal}.`],
        safe: untouched,
        options: ['Start the version of db-init that began the restore: it finishes it or undoes it.'],
      };
    case 'unreadable':
      return unreadable(database, state.reason);
    case 'current':
    case 'behind':
      // the gate acts on these; a refusal of them would be a mistake in the plan
      return { title: `Refused: ${state.kind}`, happened: [], safe: untouched, options: [] };
  }
}

function driftedOptions({ reason, unsafe }: Refusal): readonly string[] {
  const see = `See the SQL that would mend it, and what is in the way. Nothing is changed by that.\n${commands.repair}`;
  if (reason !== 'not-mendable') {
    return [see, `Have it mended: the same without --dry-run, or with TT_DRIFT=repair at the next start.`];
  }
  const sql = unsafe.flatMap(sqlFor).slice(0, shownDifferences);
  return [
    see,
    'Put right by hand what is in the way, then start again: the rest is mended then. ' +
      (sql.length === 0 ? '' : 'The SELECT finds the rows; look at what follows before you run it:\n') +
      sql.map((line) => `  ${line}`).join('\n'),
  ];
}

function describeUnversioned(
  database: string,
  { present, identity }: Extract<Refusal['state'], { kind: 'unversioned' }>,
): Notice {
  const title = `The database has no version information: ${database}`;
  const there = `Core tables are there (${present.join(', ')}), but alembic_version is missing or empty.`;
  switch (identity.kind) {
    case 'match':
      return {
        title,
        happened: [there, ...describeMatch(identity)],
        safe: untouched,
        options: [
          `Start the gate: it stamps the database and migrates it.
${commands.gate}`,
        ],
      };
    case 'none': {
      const same = identity.alike.length === 0 ? '' : ` (in the schema the same as ${listSets(identity.alike)})`;
      return {
        title,
        happened: [
          `${there} Its schema is that of no known revision.`,
          `The nearest is ${listRows(identity.nearest)}${same}. Compared with it, this is missing or different:`,
          ...listDifferences(identity.mismatches),
        ],
        safe: untouched,
        options: [
          saveFirst,
          `See every difference, put it right by hand, and start again: the revision is then found by the schema.
${commands.differences}
${commands.psql}`,
          'If you have a backup that holds alembic_version, restore it into an empty database and start again.',
          `If you know which revision it is at, compare it with that one, and stamp it after a backup.
${commands.adopt} --dry-run --revision ${identity.nearest.join(',')}
${forcedAdoption(identity.nearest)}`,
          giveUp,
        ],
      };
    }
  }
}

function forcedAdoption(revisions: readonly string[]): string {
  return `${commands.adopt} --force --yes --revision ${revisions.join(',')}`;
}

function cleanupObstacle({ reason, others }: Refusal): string {
  switch (reason) {
    case 'cleanup-is-off':
      return 'Automatic cleanup is off: TT_SKIP_DB_CLEANUP is set.';
    case 'cleanup-needs-postgresql':
      return 'On SQLite nothing is cleaned by itself: what is in the file may be all there is.';
    case 'others-are-connected':
      return `They are not moved while others are connected to this database: ${listSessions(others)}`;
    case 'state':
    case 'must-not-be-empty':
    case 'repair-is-off':
    case 'not-mendable':
      return '';
  }
}

function corruptedOptions({ reason }: Refusal): readonly string[] {
  switch (reason) {
    case 'cleanup-needs-postgresql':
      return [
        'Look whether DATABASE_URL names the right file.',
        `If it does, put the file aside and start again: a new one is made, and nothing is lost.\n${commands.putAside}\n${commands.gate}`,
      ];
    case 'others-are-connected':
      return [`Stop what is connected, then start again.\n  docker compose stop app\n${commands.gate}`];
    case 'cleanup-is-off':
    case 'state':
    case 'must-not-be-empty':
    case 'repair-is-off':
    case 'not-mendable':
      return [
        'Look whether DATABASE_URL names the right database.',
        'Or set TT_SKIP_DB_CLEANUP=false and restart to try automatic cleanup: the tables are moved to a quarantine schema, none is dropped.',
        `Or do the same by hand.\n${commands.putAside}\n${commands.gate}`,
        giveUp,
      ];
  }
}

function describeFailedMigration({
  revision,
  applied,
  remaining,
  reason,
}: Extract<Problem, { kind: 'migration-failed' }>['failed']): Notice {
  return {
    title: revision === null ? 'The migration failed' : `Migration ${revision} failed`,
    happened: [
      `Reason: ${reason}`,
      `Applied before it and rolled back: ${applied.length}. Not run: ${remaining.length}.`,
    ],
    safe: 'everything ran in one transaction and was rolled back: the database is exactly as it was.',
    options: [
      'If the reason names rows (duplicates, NULLs, missing references), correct them and start again.\n' +
        commands.psql,
      'If it speaks of disk space, memory, locks or a lost connection, remedy that and start again.',
      saveFirst,
      'Go back to the former version of the application meanwhile: the database still fits it.',
    ],
  };
}

function describeVerdict(
  database: string,
  { versionTableMissing, revisions, heads, differences, unsafe = [] }: Verdict,
): Notice {
  const happened = versionTableMissing
    ? [
        'WARNING: alembic_version table missing after migrations!',
        'Migrations reported success but alembic_version table was not created. This indicates that the migrations did not actually run or were rolled back.',
      ]
    : [
        ...(revisions.join() === heads.join()
          ? []
          : [`alembic_version says ${revisions.join(', ') || 'nothing'}, and should say ${heads.join(', ')}.`]),
        ...listDifferences(differences, unsafe),
      ];
  return {
    title: `The schema is not healthy: ${database}`,
    happened,
    safe: 'no row was deleted. The application is not started on this schema.',
    options: [
      `See every difference.\n  docker compose run --rm db-init status --json`,
      `Start again: what is missing may be added.\n${commands.gate}`,
      saveFirst,
      giveUp,
    ],
  };
}

/** What cannot be mended comes first, with the reason. */
function listDifferences(differences: readonly Mismatch[], unsafe: readonly Unsafe[] = []): readonly string[] {
  const explained = new Set(unsafe.map(({ difference }) => describeDifference(difference).message));
  const others = differences.map((difference) => describeDifference(difference).message);
  const lines = [...unsafe.map(describeUnsafe), ...others.filter((message) => !explained.has(message))];
  const shown = lines.slice(0, shownDifferences).map((line) => `- ${line}`);
  const more = lines.length - shown.length;
  return more > 0 ? [...shown, `- and ${more} more`] : shown;
}

function listOf(names: readonly string[]): string {
  return names.length <= 10 ? names.join(', ') : `${names.slice(0, 10).join(', ')} and ${names.length - 10} more`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
