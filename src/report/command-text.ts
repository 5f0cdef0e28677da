/** What each command does, in one line of `help`. */
export const summaries = {
  gate: 'bring the database to the current schema, or stop with the way out (the default)',
  adopt: 'stamp a database without version information with the revision that its schema is at',
  backup: 'backups of the database and the uploads: make one, list, prove, remove older ones',
  compose: 'read compose files of TimeTracker, and print the override that puts db-init in front of it',
  plan: 'say what the gate would do, revision by revision',
  quarantine: 'what was put aside: take it back, delete it, or put something aside by hand',
  repair: 'add what the schema lacks of its revision, as far as that is safe',
  reset: 'DELETE ALL DATA of TimeTracker and create the schema anew, after a safety backup',
  restore: 'put an archive in the place of the database and the uploads, which are kept; or take that back',
  seed: 'add made-up data to a development database; a second run adds nothing',
  status: 'say which state the database is in',
  verify: 'compare the whole schema with what its revision promises',
};

/** What each flag does, with its default; `COMMAND --FLAG` where it is said of one command alone. */
export const flagTexts: Readonly<Record<string, string>> = {
  '--json': 'print one object on standard output; the log goes to standard error',
  '--yes': 'agree to what is asked otherwise; without a terminal nobody can be asked',
  '--dry-run': 'say what would be done, and change nothing',
  '--trust-archive':
    'answer for the archive: load objects that TimeTracker does not make as well; default: refuse an archive that has any',
  '--disconnect':
    'end the sessions of others when the database is exchanged (PostgreSQL); default: refuse while there are any. SQLite: go on where it cannot be seen who has the file open',
  'reset --disconnect': 'end the sessions of others (PostgreSQL); default: refuse while there are any',
  'plan --rehearse': 'do the pending work, verify the result, and roll it back; this takes the lock',
  'backup --output':
    'the folder or the new file that the archive is written to, - for standard output; default: the backup folder',
  'backup --keep':
    'how many backups of this database stay, the newest; older ones are removed. Default of `create`: all; `prune` needs it',
  'backup --since':
    'make none where one of this database was made since that time (2026-11-23T03:30:00Z); default: make one',
  'backup --cron':
    'when backups are made: minute, hour, day, month, weekday; default: 30 3 * * *, every night at half past three',
  'backup --check':
    'ask whether the scheduler of this container lives and its last backup succeeded; for a health check',
  'backup --prove': 'restore the archive beside the database, bring it to the head, and drop it again',
  'restore --database-only': 'leave the uploads as they are; default: they are restored with the database',
  'restore --set-aside':
    'SQLite into PostgreSQL: put rows that do not fit into a quarantine schema; default: refuse, and name them',
  'restore --undo': 'put back what was there before the last restore',
  'restore --accept-changes':
    'with --undo: put it back although it was changed since it was put aside; default: refuse, and say what was changed',
  'restore --drop-former': 'delete what the last restores have kept; there is no way back from them then',
  'quarantine --all': "put everything aside; default: what is not the application's",
  'adopt --revision': 'the revision or revisions that the schema is at, with commas; default: found by the schema',
  'adopt --force': 'stamp the database although its schema is another one; needs --revision',
  'reset --no-backup': 'make no safety backup first: what is deleted is gone for good',
  'seed --no-currencies': 'add no currencies; default: those of the seed are added',
  'seed --no-expense-categories': 'add no expense categories; default: those of the seed are added',
  'compose --service': "the application's service; default: found by its image, its address and its volumes",
  'reset --yes-delete-all-data': 'agree to the deletion: its value is the name of the database',
};
