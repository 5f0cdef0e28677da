// Makes a checkout ready to run: dependencies as in package-lock.json, dist/ as in the source. Quick if nothing is
// missing. `node scripts/setup.mjs dependencies` leaves dist/ alone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const installStamp = join(root, 'node_modules/.db-init-installed');
const buildStamp = join(root, 'dist/.built-from');
const driverBinary = join(root, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node');
const driverPrelude = join(root, 'scripts/node-object-wrap.h');

/** A failure whose message needs no stack trace. */
class SetupFailure extends Error {
  /** @param {string} message @param {number} exitCode */
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

function install() {
  const wanted = installation();
  if (read(installStamp) === wanted) return;
  if (!treeMatchesLock() || nativeFault() !== null) {
    console.error('Installing the dependencies; this takes a minute …');
    npmCi();
    const fault = nativeFault();
    if (fault !== null) throw new SetupFailure(`better-sqlite3 cannot be used: ${fault}${compilerHint()}`, 1);
  }
  writeFileSync(installStamp, wanted);
}

/** The inputs of node_modules: the lock file, and the platform and compiler of native modules. */
function installation() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(readFileSync(driverPrelude))
    .digest('hex');
  return `${lock} ${process.platform}-${process.arch} abi ${process.versions.modules}`;
}

/** Whether npm has installed exactly the packages in the lock file; packages for other platforms may be missing. */
function treeMatchesLock() {
  const installed = read(join(root, 'node_modules/.package-lock.json'));
  if (installed === null) return false;
  const { packages: tree } = JSON.parse(installed);
  const { packages: lock } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const missing = Object.keys(lock).filter(
    (path) => path !== '' && tree[path]?.version !== lock[path].version && !(lock[path].optional && !tree[path]),
  );
  return missing.length === 0;
}

function npmCi() {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  // esbuild and the tests are development dependencies, which NODE_ENV=production would leave out.
  const env = { ...headers(), ...process.env, CXXFLAGS: compilerFlags() };
  const options = { cwd: root, env, stdio: ['ignore', 2, 2] };
  const { status, error } = spawnSync('npm', ['ci', '--include=dev', ...quiet], options);
  if (error) throw new SetupFailure(`npm could not be started: ${error.message}`, 1);
  if (status === 0) return;
  throw new SetupFailure(`npm ci failed with exit code ${status}; its words are above.${compilerHint()}`, status ?? 1);
}

/** The path of Node's own headers, if they are installed: then node-gyp need not download them. */
function headers() {
  const prefix = join(dirname(realpathSync(process.execPath)), '..');
  return existsSync(join(prefix, 'include/node/node.h')) ? { npm_config_nodedir: prefix } : {};
}

/** Flags for the C++ compiler, which only better-sqlite3 needs. make passes them to a shell, hence the quotes. */
function compilerFlags() {
  return `${process.env.CXXFLAGS ?? ''} -include '${driverPrelude}'`.trim();
}

/** The tools that better-sqlite3 lacks on this machine if no prebuilt binary can be downloaded; otherwise nothing. */
function compilerHint() {
  const lacking = ['python3', 'make', 'g++'].filter((tool) => spawnSync(tool, ['--version']).error);
  if (lacking.length === 0) return '';
  const remedy = 'apt-get install python3 make g++ (Alpine: apk add python3 make g++)';
  return ` better-sqlite3 may have to be compiled, and ${lacking.join(', ')} cannot be found: ${remedy}, then again.`;
}

/** Why the native module cannot be used, or null. */
function nativeFault() {
  // This binary was compiled in another way and uses this function of Node.js: do not even load it. Prebuilt binaries
  // are compiled for 24.0 and do not use it.
  if (read(driverBinary)?.includes('RemoveEnvironmentCleanupHook')) {
    return 'it is compiled in a way that aborts Node.js (nodejs/node#65446)';
  }
  try {
    const Database = createRequire(import.meta.url)('better-sqlite3');
    new Database(':memory:').close();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function buildIfStale() {
  const wanted = inputs();
  if (read(buildStamp) === wanted) return;
  const { build } = await import('./build.mjs');
  await build().catch(() => {
    throw new SetupFailure('The build failed; what is wrong stands above.', 1);
  });
  mkdirSync(dirname(buildStamp), { recursive: true });
  writeFileSync(buildStamp, wanted);
}

/** A hash over the names, sizes and times of everything that goes into dist/. */
function inputs() {
  // V8's compiled code works only with the same Node.js
  const hash = createHash('sha256')
    .update(read(installStamp) ?? '')
    .update(process.version);
  const scripts = ['build.mjs', 'keep-code-cache.cjs', 'loader.cjs'].map((name) => `scripts/${name}`);
  for (const file of ['package.json', ...scripts, ...filesIn('src'), ...filesIn('migrations')]) {
    const { mtimeMs, size } = statSync(join(root, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

/**
 * All files below a folder. Not with readdir's own recursion, which takes five times as long.
 * @param {string} folder
 * @returns {string[]}
 */
function filesIn(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

try {
  install();
  if (process.argv[2] !== 'dependencies') await buildIfStale();
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  console.error(`db-init could not be set up: ${error.message}`);
  process.exitCode = error.exitCode;
}
