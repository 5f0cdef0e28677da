// `npm start`: runs the gate in this process, so that exit code and signals need no forwarding. If the environment
// names no database, it uses the embedded one, with all files in the project's folder data/.

/** @param {RegExp} names the names to look for; an empty variable counts as unset */
const isSet = (names) => Object.entries(process.env).some(([name, value]) => names.test(name) && value !== '');

if (!isSet(/^(DATABASE_URL|DATABASE_URL_FILE|POSTGRES_.+)$/)) {
  process.env.DATABASE_URL = 'sqlite:///data/timetracker.db';
  if (!isSet(/^BACKUP_(FOLDER|DIR)$/)) process.env.BACKUP_FOLDER = 'data/backups';
}
// the name of db-init in messages
if (!isSet(/^TT_COMMAND_PREFIX$/)) process.env.TT_COMMAND_PREFIX = 'npm start --';
await import('../dist/main.js');
