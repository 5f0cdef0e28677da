// Bundles db-init into dist/: main.js, the core that every run loads, and the chunks that are loaded on demand.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { build as bundle, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Writes dist/, and removes the files of former builds.
 * @returns {Promise<void>}
 * @throws {Error} after the errors in the source were printed
 */
export async function build() {
  const program = await bundle({
    ...shared(),
    entryPoints: { main: 'src/main.ts' },
    outdir: 'dist/chunks',
    chunkNames: '[name]-[hash]',
    // Dynamic imports stay dynamic, so a run loads only what it needs. esbuild can only split ES modules.
    splitting: true,
    format: 'esm',
  });
  const library = await bundle({ ...shared(), entryPoints: ['src/library.ts'], outdir: 'dist', format: 'cjs' });
  const files = new Map([
    ['dist/main.js', readFileSync(join(root, 'scripts/loader.cjs'), 'utf8')],
    ['dist/package.json', '{"type":"commonjs"}\n'],
    ['dist/licenses.txt', licenses(Object.keys({ ...program.metafile.inputs, ...library.metafile.inputs }))],
    ...textsOf(library),
    ...(await chunksOf(program)),
  ]);
  mkdirSync(join(root, 'dist'), { recursive: true });
  // V8 knows a file by its length: compiled code of a former build must be gone before the file is replaced
  removeAllBut(files);
  for (const [path, text] of files) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  declareLibrary();
  keepCodeCache();
  for (const path of ['dist/chunks/revisions.js', fileOf(postgres, program.metafile.outputs)])
    keepAllCode(join(root, path));
}

/** @returns {import('esbuild').BuildOptions & { metafile: true, write: false }} */
function shared() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target,
    external: [driver, 'pg-native'],
    define: {
      DB_INIT_VERSION: JSON.stringify(version),
      DB_INIT_SETTINGS: JSON.stringify(readFileSync(join(root, '.env.example'), 'utf8')),
      // pg checks for them to distinguish Cloudflare from Node; the check alone loads Node's whole fetch (17 ms)
      Response: 'undefined',
      navigator: 'undefined',
    },
    plugins: [withReplaced, jsonAside],
    legalComments: 'linked',
    metafile: true,
    write: false,
    logLevel: 'warning',
    logLimit: 10,
  };
}

const target = 'node20';

/** The compiled half of better-sqlite3. */
const driver = 'better-sqlite3/build/Release/better_sqlite3.node';

/**
 * The bundled texts, by their paths.
 * @param {import('esbuild').BuildResult<{ write: false }>} result
 * @returns {[string, string][]}
 */
function textsOf({ outputFiles }) {
  return outputFiles.map(({ path, text }) => [relative(root, path), text]);
}

/** The module that every run needs, and that of each engine. */
const start = 'src/main.ts';
const postgres = 'src/database/postgres/database.ts';
const sqlite = 'src/database/sqlite/database.ts';

/**
 * @param {string} module
 * @param {import('esbuild').Metafile['outputs']} outputs
 */
function fileOf(module, outputs) {
  const file = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === module);
  if (file === undefined) throw new Error(`${module} has no file of its own`);
  return file;
}

/**
 * The files of the program, each an object of functions for scripts/loader.cjs. What every run needs is one file, and
 * what only the runs on one engine need is another.
 * @param {import('esbuild').BuildResult<{ write: false, metafile: true }>} result
 * @returns {Promise<[string, string][]>}
 */
async function chunksOf(result) {
  const { outputs } = result.metafile;
  /** @param {string} module @returns the files that it needs at once, its own first */
  const neededBy = (module) => {
    const needed = new Set([fileOf(module, outputs)]);
    // the set grows during the iteration
    for (const path of needed) {
      for (const { kind, path: imported } of outputs[path]?.imports ?? []) {
        if (kind === 'import-statement' && imported in outputs) needed.add(imported);
      }
    }
    return [...needed];
  };
  const ofEngines = [neededBy(postgres), neededBy(sqlite)];
  const ofBoth = ofEngines.reduce((one, other) => one.filter((path) => other.includes(path)));
  const core = new Set([...neededBy(start), ...ofBoth]);
  const texts = await Promise.all(
    textsOf(result).map(async ([path, text]) => {
      const packages = packagesOf(Object.keys(outputs[path]?.inputs ?? {}));
      return [path, path.endsWith('.js') ? await asChunk(text, packages) : text];
    }),
  );
  /** @param {string} path */
  const isRevision = (path) => /^\d/.test(basename(path));
  /** @param {string} name @param {(path: string) => boolean} belongs @returns {[string, string]} */
  const pack = (name, belongs) => {
    const members = texts.filter(([path]) => belongs(path)).map(([path, text]) => `"${basename(path)}": ${text}`);
    return [`dist/chunks/${name}`, `({\n${members.join(',\n')}\n})\n`];
  };
  return [
    ...texts
      .filter(([path]) => !core.has(path) && !isRevision(path))
      .map(([path, text]) => (path.endsWith('.js') ? pack(basename(path), (other) => other === path) : [path, text])),
    pack('core.js', (path) => core.has(path)),
    // in place of the file of the module alone; its other chunks stay files as well, for runs that need one of them
    ...ofEngines.map((paths) => pack(basename(paths[0] ?? ''), (path) => paths.includes(path) && !core.has(path))),
    pack('revisions.js', isRevision),
    ...filesOfSchema().map((name) => [`dist/chunks/${name}`, compactJson(`src/schema/${name}`)]),
  ];
}

/**
 * Wraps a module in a function: Node loads functions much faster, and V8 can cache their compiled code.
 * @param {string} text
 * @param {readonly string[]} packages the packages in it, for the licence comment
 */
async function asChunk(text, packages) {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target,
    supported: { 'dynamic-import': false },
  });
  const heading = packages.map((name) => `// ${name}\n`).join('');
  return `function (require, module, exports) {\n${heading}${code}}`;
}

/**
 * Runs the program so that V8's compiled code is kept: a run with nothing to do for the core, other runs for the other
 * files.
 */
function keepCodeCache() {
  const folder = mkdtempSync(join(tmpdir(), 'db-init-build-'));
  const keep = ['--require', join(root, 'scripts/keep-code-cache.cjs')];
  /** @param {string} database @param {readonly string[]} options @param {readonly string[]} words */
  const run = (database, options, words) => {
    const { PATH } = process.env;
    const env = {
      PATH,
      DATABASE_URL: `sqlite:///${folder}/${database}`,
      UPLOAD_FOLDER: folder,
      FLASK_ENV: 'development',
    };
    const { status } = spawnSync(process.execPath, [...options, join(root, 'dist/main.js'), ...words], {
      cwd: root,
      env,
      stdio: ['ignore', 'ignore', 2],
    });
    if (status !== 0) throw new Error('what was built does not run');
  };
  try {
    run('current.db', [], ['gate']);
    run('current.db', keep, ['gate']);
    run('current.db', keep, ['seed', '--users', '2', '--time-entries', '20']);
    run('new.db', keep, ['gate']);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Keeps V8's compiled code of all functions in a file without running them: the build has neither an old database, whose
 * upgrade runs nearly all of the revisions, nor a PostgreSQL server.
 * @param {string} path
 */
function keepAllCode(path) {
  setFlagsFromString('--no-lazy');
  const script = new Script(readFileSync(path, 'latin1'), { filename: pathToFileURL(path).href });
  // V8 rejects compiled code if the flags have changed since it was serialized
  setFlagsFromString('--lazy');
  writeFileSync(`${path}.cache`, script.createCachedData());
}

/** Writes dist/library.d.ts. The exports use only types of the language, so no imported file must be read. */
function declareLibrary() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const alone = ['--ignoreConfig', '--noCheck', '--noResolve', '--types', ''];
  const flags = [...alone, '--declaration', '--emitDeclarationOnly', '--outDir', 'dist'];
  const { status, error } = spawnSync(process.execPath, [compiler, ...flags, 'src/library.ts'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (error) console.error(`The compiler of the library's types could not be started: ${error.message}`);
  if (status !== 0) throw new Error('the types of the library could not be written');
}

/** Modules that packages load and that db-init does not need. They are replaced by `{}` or by `instead`. */
const replaced = [
  // it searches the driver in a dozen places, and loads three packages for the search
  { owner: 'better-sqlite3', path: /^bindings$/, instead: `() => require(${JSON.stringify(driver)})` },
  // umzug's own command line would add 0.9 MB to every migration
  { owner: 'umzug', path: /^\.\/cli$/ },
  // it finds migrations by patterns of file names; db-init passes a list of them
  { owner: 'umzug', path: /^tinyglobby$/ },
  // Sequelize's code for other database servers, and a package for a type that no table has
  { owner: 'sequelize', path: /^\.\/dialects\/(db2|mariadb|mssql|mysql|oracle|snowflake)$/ },
  { owner: 'sequelize', path: /^pg-hstore$/ },
  // checks of values, which the database makes, and geometry
  { owner: 'sequelize', path: /^(validator|wkx)$/ },
  // 0.7 MB of time zones, which the models do not use
  { owner: 'moment-timezone', path: /latest\.json$/, instead: '{ zones: [], links: [], countries: [] }' },
];

const withReplaced = {
  name: 'with-replaced',
  /** @param {import('esbuild').PluginBuild} esbuild */
  setup(esbuild) {
    for (const { owner, path: filter, instead = '{}' } of replaced) {
      const inside = new RegExp(`[\\\\/]node_modules[\\\\/]${owner}[\\\\/]`);
      esbuild.onResolve({ filter }, ({ path, importer }) =>
        inside.test(importer) ? { path, namespace: 'nothing', pluginData: instead } : undefined,
      );
    }
    esbuild.onLoad({ filter: /.*/, namespace: 'nothing' }, ({ pluginData }) => ({
      contents: `module.exports = ${pluginData};`,
      resolveDir: root,
    }));
  },
};

/** The catalogs are large: as files of JSON they are read several times faster than as literals of the language. */
const jsonAside = {
  name: 'json-aside',
  /** @param {import('esbuild').PluginBuild} esbuild */
  setup(esbuild) {
    esbuild.onResolve({ filter: /\.json$/ }, ({ path, resolveDir }) =>
      resolveDir === join(root, 'src/schema') ? { path, external: true } : undefined,
    );
  },
};

function filesOfSchema() {
  return readdirSync(join(root, 'src/schema')).filter((name) => name.endsWith('.json'));
}

/** @param {string} path */
function compactJson(path) {
  return JSON.stringify(JSON.parse(readFileSync(join(root, path), 'utf8')));
}

/**
 * The licences of the bundled packages, which must accompany every copy.
 * @param {string[]} inputs the bundled files
 */
function licenses(inputs) {
  return packagesOf(inputs).map(licenseOf).join('\n');
}

/**
 * The folders of the packages that files belong to.
 * @param {string[]} inputs
 */
function packagesOf(inputs) {
  return [...new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []))].toSorted();
}

/** @param {string} folder of a package */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const files = readdirSync(join(root, folder)).filter((file) => /^licen[cs]e/i.test(file));
  const texts = files.map((file) => readFileSync(join(root, folder, file), 'utf8'));
  return [`== ${name} ${version} (${license}) ==`, ...texts].join('\n');
}

/** @param {ReadonlyMap<string, string>} files by their paths */
function removeAllBut(files) {
  for (const entry of readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })) {
    const path = join('dist', entry);
    if (/\.(?:js|json|txt|cache)$/.test(path) && !files.has(path)) rmSync(join(root, path));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build().catch(() => {
    process.exitCode = 1;
  });
}
