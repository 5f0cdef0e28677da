// Loaded into a db-init that is to die (NODE_OPTIONS=--import): it counts the steps that can be seen from outside, and
// kills the process just before one of them, or stops it (CRASH_SIGNAL=SIGSTOP). A step changes a folder, starts a program, prints a line, or begins, ends
// or exchanges something in a database.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { basename } from 'node:path';

const {
  CRASH_STEP: death = '0',
  CRASH_GROUP: group = '',
  CRASH_STEPS: list = '',
  CRASH_SIGNAL: signal = 'SIGKILL',
} = process.env;
const listed = list === '' ? null : fs.openSync(list, 'a');
let step = 0;

/** @param {string} label */
function enter(label) {
  step += 1;
  if (listed !== null) fs.writeSync(listed, `${label.replaceAll(/\s+/g, ' ').slice(0, 120)}\n`);
  // the test has made this process the leader of its own process group
  if (step === Number(death)) process.kill(group === '' ? process.pid : -process.pid, signal);
}

/** @param {any} owner @param {string} name @param {(given: any[]) => string | null} labelOf null: no step */
function count(owner, name, labelOf) {
  const original = owner[name];
  owner[name] = function (...given) {
    const label = labelOf(given);
    if (label !== null) enter(label);
    return original.apply(this, given);
  };
}

const name = (path) => (typeof path === 'string' || Buffer.isBuffer(path) ? basename(String(path)) : '');
const changes = ['copyFile', 'link', 'mkdir', 'rename', 'rm', 'rmdir', 'symlink', 'unlink'];
for (const change of changes) {
  const labelOf = ([from, to]) => `${change} ${[name(from), name(to)].join(' ').trim()}`;
  count(fs, `${change}Sync`, labelOf);
  count(fs, change, labelOf);
  count(fs.promises, change, labelOf);
}
const opening = ([path, flags]) => (/^[wa]/.test(String(flags)) ? `open ${name(path)}` : null);
for (const [owner, open] of [
  [fs, 'openSync'],
  [fs, 'open'],
  [fs.promises, 'open'],
]) {
  count(owner, open, opening);
}
count(fs, 'writeFileSync', ([file]) => (typeof file === 'string' ? `write ${name(file)}` : null));
count(childProcess, 'spawn', ([command]) => `start ${name(command)}`);
for (const stream of [process.stdout, process.stderr]) count(stream, 'write', ([text]) => `print ${String(text)}`);

const telling = /^\s*(BEGIN|COMMIT|ROLLBACK|VACUUM|(CREATE|ALTER|DROP) (DATABASE|SCHEMA))[^;]*|pg_try_advisory_lock/i;
const told = (text) => telling.exec(text)?.[0] ?? null;
count(Socket.prototype, 'write', ([chunk]) => {
  // a simple query: Q, four bytes of length, the text (PostgreSQL manual, "Message Formats")
  const statement = Buffer.isBuffer(chunk) && chunk[0] === 0x51 ? told(chunk.toString('utf8', 5)) : null;
  return statement === null ? null : `say ${statement}`;
});
// the compiled half of the driver: the other one is part of the bundle
const driver = createRequire(process.argv[1])('better-sqlite3/build/Release/better_sqlite3.node');
count(driver.Database.prototype, 'exec', ([sql]) => told(sql) && `say ${told(sql)}`);
count(driver.Database.prototype, 'close', () => 'close');

syncBuiltinESMExports();
