import type { FailedMigration, Problem, Verdict } from '../../../src/errors/failure.ts';
import type {
  ArchiveFault,
  BackupObstacle,
  Contents,
  OtherFile,
  QuarantineObstacle,
  ResetObstacle,
  RestoreObstacle,
} from '../../../src/errors/obstacles.ts';
import type { Blocker, Cause } from '../../../src/model/cause.ts';
import type { State } from '../../../src/model/state.ts';
import type { Refusal } from '../../../src/model/plan.ts';
import type { Unsafe } from '../../../src/model/repair.ts';

type Nested =
  'refused' | 'archive-rejected' | 'restore-refused' | 'quarantine-refused' | 'reset-refused' | 'backup-failed';
type Failed = 'migration-failed' | 'database-failed';

/** Every banner: the kind of its problem, and the variant if there are several. */
export type Banner =
  | Exclude<Problem['kind'], Nested | Failed>
  | `refused ${Exclude<State['kind'], 'current' | 'behind'>}`
  | `archive-rejected ${ArchiveFault['kind']}`
  | `restore-refused ${RestoreObstacle['kind']}`
  | `quarantine-refused ${QuarantineObstacle['kind']}`
  | `reset-refused ${ResetObstacle['kind']}`
  | `backup-failed ${BackupObstacle['kind']}`
  | `failed ${Cause['kind']}`;

const database = 'timetracker on db:5432';
const reason = 'the reason';
const others = [{ pid: 7, application: 'psql', user: 'app', client: '::1' }];
const difference = { kind: 'missing-table', table: 'tasks' } as const;
const differences = [difference];
const unsafe: readonly Unsafe[] = [
  { kind: 'unsafe', difference, obstacle: { kind: 'type' }, remedy: ['ALTER TABLE tasks ADD COLUMN x int'] },
];
const torn = { keyless: ['users'], empty: ['roles'] };
const revisions = ['171_x'];
const failed: FailedMigration = { engine: 'postgresql', revision: 'two', applied: [], remaining: [], reason };

const refused = (state: State, why: Refusal['reason'] = 'state'): Problem => ({
  kind: 'refused',
  database,
  refusal: { exitCode: 11, state, reason: why, others, unsafe: why === 'unrepairable' ? unsafe : [] },
});
const rejected = (fault: ArchiveFault): Problem => ({ kind: 'archive-rejected', archive: '/data/x.zip', fault });
const atStart = (fault: ArchiveFault): Problem => ({
  kind: 'archive-rejected',
  archive: '/data/x.zip',
  fault,
  atStart: true,
});
const otherFile = (file: OtherFile): Problem => rejected({ kind: 'other-format', file });
const inFolder = (contents: Contents): Problem => otherFile({ kind: 'folder', packing: 'tar.gz', contents });
const notRestored = (obstacle: RestoreObstacle): Problem => ({ kind: 'restore-refused', database, obstacle });
const quarantine = (obstacle: QuarantineObstacle): Problem => ({ kind: 'quarantine-refused', database, obstacle });
const reset = (obstacle: ResetObstacle): Problem => ({ kind: 'reset-refused', database, obstacle });
const backup = (obstacle: BackupObstacle): readonly Problem[] =>
  (['manual', 'safety'] as const).map((purpose) => ({ kind: 'backup-failed', database, obstacle, purpose }));
/** The work that a cause belongs to: a restore and a backup have further options in their banners. */
const because = (cause: Cause): readonly Problem[] => [
  { kind: 'migration-failed', failed, cause },
  { kind: 'database-failed', database, reason, cause },
];

const verdict: Verdict = { versionTableMissing: false, revisions, heads: ['198_y'], differences };
const drifted = (why: Refusal['reason'], older: readonly string[] | null = null): Problem =>
  refused({ kind: 'drifted', revisions, older, differences }, why);
const corrupted = (why: Refusal['reason']): Problem =>
  refused({ kind: 'corrupted', relations: [{ name: 'odd', kind: 'table', estimatedRows: null }], traces: [] }, why);
const unversioned = (more: Partial<Extract<State, { kind: 'unversioned' }>> = {}): Problem =>
  refused({
    kind: 'unversioned',
    present: ['users'],
    foreignLedgers: [],
    recognised: true,
    identity: { kind: 'none', nearest: revisions, alike: [], mismatches: differences },
    torn: null,
    pending: [],
    ...more,
  });
const match = { kind: 'match', revisions, alike: [], missing: [], begun: [], own: [] } as const;
const beforeClients = [
  { kind: 'missing-table', table: 'clients' },
  {
    kind: 'missing-column',
    table: 'projects',
    column: 'client_id',
    expected: { type: 'integer', notNull: true, default: null },
  },
] as const;
const session: Blocker = {
  kind: 'session',
  pid: 7,
  application: '',
  user: 'app',
  client: '::1',
  state: '',
  since: '',
  query: '',
  tables: [],
};
const changes = [{ kind: 'gone', object: 'table t' }] as const;
const objects = [{ type: 'FUNCTION', name: 'f', statement: 'CREATE FUNCTION f' }];

/** Each banner with every set of options that it may have: a new kind of problem does not compile without. */
export const samples: Readonly<Record<Banner, readonly Problem[]>> = {
  usage: [
    { kind: 'usage', message: 'no' },
    { kind: 'usage', message: 'no', command: { words: ['seed', '--yes'] } },
    { kind: 'usage', message: 'no', command: { words: ['seed'], variable: { name: 'A', value: 'b' } } },
    { kind: 'usage', message: 'no', lacking: ['--yes'] },
  ],
  declined: [{ kind: 'declined' }],
  configuration: [{ kind: 'configuration', faults: [{ variable: 'TT_WAIT_TIMEOUT', problem: 'no' }] }],
  'unsupported-server': [{ kind: 'unsupported-server', version: '12.22' }],
  'unfit-encoding': [{ kind: 'unfit-encoding', database, encoding: 'LATIN1' }],
  'transaction-pooler': [{ kind: 'transaction-pooler' }],
  'network-file-system': [{ kind: 'network-file-system', path: '/mnt', fileSystem: 'NFS' }],
  unreachable: [
    { kind: 'unreachable', database, seconds: 9, reason },
    { kind: 'unreachable', database, seconds: 9, reason, full: true },
  ],
  'connection-lost': [{ kind: 'connection-lost', database, reason }],
  'no-such-database': [{ kind: 'no-such-database', database, name: 'app' }],
  'closed-database': [false, true].map((dropped) => ({
    kind: 'closed-database',
    database,
    name: 'app',
    reason,
    beside: ['app_before_x'],
    journal: '/data/restore.json',
    dropped,
  })),
  'access-denied': [{ kind: 'access-denied', database, reason }],
  'file-access-denied': [reason, 'EROFS: read-only file system'].map((why) => ({
    kind: 'file-access-denied',
    file: '/data/a.db',
    user: 'uid 1000',
    reason: why,
  })),
  'state-folder-denied': [{ kind: 'state-folder-denied', folder: '/data/.db-init', owner: 0, user: 'uid 1000' }],
  'missing-rights': [
    { kind: 'missing-rights', database, rights: [{ action: { kind: 'create-schema' }, remedy: 'GRANT WINGS' }] },
  ],
  'broken-indexes': [
    { kind: 'broken-indexes', database, indexes: [{ name: 'i', table: 't', reason, remedy: 'REINDEX INDEX i' }] },
  ],
  locked: [{ kind: 'locked', holder: { description: 'pid 7' }, seconds: 9 }],
  unreadable: [{ kind: 'unreadable', database, reason }],
  'adoption-refused': [{ kind: 'adoption-refused', database, revisions, mismatches: differences }],
  'verification-failed': [
    { kind: 'verification-failed', database, verdict },
    { kind: 'verification-failed', database, verdict: { ...verdict, versionTableMissing: true } },
    { kind: 'verification-failed', database, verdict: { ...verdict, unsafe } },
  ],
  'backups-not-listed': [{ kind: 'backups-not-listed', folder: '/b', reason }],
  'backups-not-pruned': [{ kind: 'backups-not-pruned', folder: '/b', path: '/b/x.zip', why: 'not-removed', reason }],
  'seed-refused': [{ kind: 'seed-refused', database, state: 'drifted', exitCode: 14 }],
  'run-once-refused': [
    { kind: 'run-once-refused', folder: '/b', file: '/b/once.json', reason },
    { kind: 'run-once-refused', folder: '/b', file: '/b/once.json', reason: null },
  ],
  interrupted: [{ kind: 'interrupted', signal: 'SIGTERM' }],
  'refused fresh': [refused({ kind: 'fresh', traces: [] }, 'must-not-be-empty')],
  'refused corrupted': [
    corrupted('cleanup-is-off'),
    corrupted('cleanup-needs-postgresql'),
    corrupted('must-not-be-empty'),
    corrupted('others-are-connected'),
  ],
  'refused partial': [
    refused({ kind: 'partial', revisions, missing: ['users'], renamed: [], torn: null }),
    refused({
      kind: 'partial',
      revisions,
      missing: ['users'],
      renamed: [
        { table: 'users', found: '_alembic_tmp_users', remedy: ['ALTER TABLE "_alembic_tmp_users" RENAME TO "users"'] },
      ],
      torn: null,
    }),
    refused({ kind: 'partial', revisions, missing: [], renamed: [], torn }),
  ],
  'refused unversioned': [
    unversioned(),
    unversioned({ recognised: false }),
    unversioned({ identity: { kind: 'none', nearest: revisions, alike: [], mismatches: beforeClients } }),
    unversioned({ torn }),
    unversioned({ torn, identity: match }),
    unversioned({ identity: match }),
  ],
  'refused drifted': [
    drifted('repair-is-off'),
    drifted('unrepairable'),
    drifted('incomplete-at-head'),
    drifted('older-schema', ['049_x']),
  ],
  'refused ahead': [
    refused({ kind: 'ahead', revisions: ['999_x'], unknown: ['999_x'], misspelt: [] }),
    refused({ kind: 'ahead', revisions: ['1_'], unknown: ['1_'], misspelt: [{ row: '1_', revision: '1_x' }] }),
  ],
  'refused foreign': [refused({ kind: 'foreign', foreignLedgers: ['django_migrations'], related: [] })],
  'refused elsewhere': [
    refused({ kind: 'elsewhere', schema: 'public', holding: ['other'], forbidden: [], hiding: [] }),
    refused({ kind: 'elsewhere', schema: null, holding: ['other'], forbidden: [], hiding: ['users'] }),
    refused({ kind: 'elsewhere', schema: null, holding: ['other'], forbidden: ['other'], hiding: [] }),
  ],
  'refused interrupted': [
    refused({ kind: 'interrupted', journal: { file: '/b/restore.json', says: null } }),
    refused({ kind: 'interrupted', journal: { file: '/b/restore.json', says: 'A restore.' } }),
  ],
  'refused unreadable': [
    refused({ kind: 'unreadable', reason, cause: { kind: 'other' } }),
    refused({
      kind: 'unreadable',
      reason,
      cause: { kind: 'other' },
      sideFile: { side: '-wal', kind: 'mismatch', mismatch: { kind: 'no-wal' } },
    }),
  ],
  'archive-rejected missing': [
    rejected({ kind: 'missing', places: ['/data/x.zip'] }),
    atStart({ kind: 'missing', places: ['/data/x.zip'] }),
  ],
  'archive-rejected invalid': [rejected({ kind: 'invalid', defect: { kind: 'not-zip' } })],
  'archive-rejected piece': [rejected({ kind: 'piece' })],
  'archive-rejected stream': [rejected({ kind: 'stream', received: 7, fault: null })],
  'archive-rejected access': [rejected({ kind: 'access' })],
  'archive-rejected too-large': [rejected({ kind: 'too-large', exceeded: { kind: 'ratio', limit: 200 } })],
  'archive-rejected unknown-objects': [rejected({ kind: 'unknown-objects', objects })],
  'archive-rejected other-format': [
    otherFile({ kind: 'sql', dialect: 'postgresql', packed: false, apart: false }),
    otherFile({ kind: 'sql', dialect: 'postgresql', packed: true, apart: true }),
    otherFile({ kind: 'sql', dialect: 'sqlite', packed: false, apart: false }),
    otherFile({ kind: 'dump', packed: true }),
    otherFile({ kind: 'sqlite' }),
    otherFile({ kind: 'export', format: 'csv' }),
    inFolder({ kind: 'data-directory', path: 'data/', major: 16 }),
    inFolder({ kind: 'unpacked-archive', path: 'x/' }),
    inFolder({ kind: 'dump-directory', path: 'dump/' }),
    inFolder({ kind: 'backups', paths: ['a.zip'], logs: [] }),
    inFolder({ kind: 'uploads', roots: ['uploads'] }),
    inFolder({ kind: 'export' }),
    inFolder({ kind: 'unknown', count: 1, names: ['x'] }),
  ],
  'archive-rejected wrapped': [rejected({ kind: 'wrapped', by: 'gzip' })],
  'archive-rejected unusable': [rejected({ kind: 'unusable', reason: { kind: 'no-revision' } })],
  'archive-rejected no-tool': [rejected({ kind: 'no-tool', tool: { kind: 'psql', newest: null } })],
  'restore-refused others-are-connected': [notRestored({ kind: 'others-are-connected', others })],
  'restore-refused prepared-transactions': [notRestored({ kind: 'prepared-transactions', names: ['p'] })],
  'restore-refused file-in-use': [notRestored({ kind: 'file-in-use', file: '/data/a.db' })],
  'restore-refused file-use-unknown': [notRestored({ kind: 'file-use-unknown', file: '/data/a.db' })],
  'restore-refused symbolic-link': [notRestored({ kind: 'symbolic-link', file: '/data/a.db', target: '/mnt/a.db' })],
  'restore-refused folder': [true, false].map((uploads) =>
    notRestored({ kind: 'folder', folder: '/b', reason, uploads }),
  ),
  'restore-refused no-space': [true, false].map((uploads) =>
    notRestored({ kind: 'no-space', folder: '/b', needed: 2, free: 1, uploads }),
  ),
  'restore-refused nothing-kept': [notRestored({ kind: 'nothing-kept' })],
  'restore-refused former-gone': [notRestored({ kind: 'former-gone', kept: 'app_before_x' })],
  'restore-refused former-dropped': [notRestored({ kind: 'former-dropped', kept: 'app_before_x' })],
  'restore-refused former-changed': [notRestored({ kind: 'former-changed', kept: 'app_before_x', changes })],
  'restore-refused depended-upon': [
    notRestored({ kind: 'depended-upon', name: 'app_before_x', dependents: ['view v'] }),
  ],
  'restore-refused unfinished': [
    notRestored({ kind: 'unfinished', journal: '/b/restore.json', reason: null }),
    notRestored({ kind: 'unfinished', journal: '/b/restore.json', reason: { kind: 'journal-unreadable' } }),
  ],
  'restore-refused rows-do-not-fit': [
    notRestored({ kind: 'rows-do-not-fit', engine: 'postgresql', archive: '/data/x.zip', misfits: [] }),
  ],
  'restore-refused taken-over': [notRestored({ kind: 'taken-over', journal: '/b/restore.json' })],
  'restore-refused failed': [notRestored({ kind: 'failed', step: 'load-dump', reason, cause: { kind: 'other' } })],
  'quarantine-refused others-are-connected': [quarantine({ kind: 'others-are-connected', others })],
  'quarantine-refused file-in-use': [quarantine({ kind: 'file-in-use', file: '/data/a.db' })],
  'quarantine-refused not-held': [quarantine({ kind: 'not-held', name: 'q', held: [] })],
  'quarantine-refused rows-stay': [quarantine({ kind: 'rows-stay', name: 'q', rows: 1, reasons: [reason] })],
  'quarantine-refused names-taken': [quarantine({ kind: 'names-taken', name: 'q', names: ['users'] })],
  'quarantine-refused depended-upon': [quarantine({ kind: 'depended-upon', name: 'q', dependents: ['view v'] })],
  'quarantine-refused changed': [quarantine({ kind: 'changed', name: 'q', changed: ['table t'] })],
  'reset-refused not-recognised': [reset({ kind: 'not-recognised', core: ['users'], foreignLedgers: [] })],
  'reset-refused others-are-connected': [reset({ kind: 'others-are-connected', others })],
  'reset-refused file-in-use': [reset({ kind: 'file-in-use', file: '/data/a.db' })],
  'reset-refused blocking-objects': [
    reset({ kind: 'blocking-objects', objects: [{ kind: 'name-taken', object: 'view', name: 'v' }] }),
  ],
  'reset-refused no-backup': [reset({ kind: 'no-backup', reason: 'The disk is full.' })],
  'backup-failed folder': backup({ kind: 'folder', folder: '/b', reason }),
  'backup-failed no-space': backup({ kind: 'no-space', folder: '/b', needed: 2, free: 1 }),
  'backup-failed no-tool': backup({ kind: 'no-tool', tool: 'pg_dump', major: 17, found: [] }),
  'backup-failed not-proven': backup({ kind: 'not-proven', reason }),
  'backup-failed failed': backup({ kind: 'failed', reason, cause: { kind: 'other' } }),
  'failed connection-lost': because({ kind: 'connection-lost' }),
  'failed disk-full': because({ kind: 'disk-full' }),
  'failed disk-full-here': because({ kind: 'disk-full-here' }),
  'failed memory': because({ kind: 'memory' }),
  'failed lock-table': because({ kind: 'lock-table' }),
  'failed connections': because({ kind: 'connections' }),
  'failed deadlock': because({ kind: 'deadlock' }),
  'failed cancelled': because({ kind: 'cancelled' }),
  'failed read-only': because({ kind: 'read-only' }),
  'failed rights': because({ kind: 'rights' }),
  'failed damage': because({ kind: 'damage' }),
  'failed rows': because({ kind: 'rows' }),
  'failed other': because({ kind: 'other' }),
  'failed dependents': because({
    kind: 'dependents',
    objects: [{ what: 'view', name: 'v', drop: 'DROP VIEW v', create: ['CREATE VIEW v AS SELECT 1'] }],
  }),
  'failed event-triggers': because({
    kind: 'event-triggers',
    triggers: [{ name: 't', event: 'ddl_command_end', function: 'f', disable: 'ALTER …', enable: 'ALTER …' }],
  }),
  'failed lock-timeout': [
    ...because({ kind: 'lock-timeout', blockers: [] }),
    ...because({
      kind: 'lock-timeout',
      blockers: [session, { kind: 'prepared', name: 'p', user: 'app', tables: [] }],
    }),
  ],
};
