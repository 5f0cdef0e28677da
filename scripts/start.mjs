// `npm start`: the gate in this process, so that exit code and signals are its own. Without any database named in
// the environment it is the embedded one, and everything stays inside the project's folder data/.

/** @param {RegExp} names whether any such variable is set; an empty one counts as unset */
const isSet = (names) => Object.entries(process.env).some(([name, value]) => names.test(name) && value !== '');

if (!isSet(/^(DATABASE_URL|DATABASE_URL_FILE|POSTGRES_.+)$/)) {
  process.env.DATABASE_URL = 'sqlite:///data/timetracker.db';
  if (!isSet(/^BACKUP_(FOLDER|DIR)$/)) process.env.BACKUP_FOLDER = 'data/backups';
}
// what messages call db-init: with the same environment
if (!isSet(/^TT_COMMAND_PREFIX$/)) process.env.TT_COMMAND_PREFIX = 'npm start --';
await import('../dist/main.js');
