// Bundles db-init into dist/: main.js, one file for each migration, and the chunks that are loaded on demand.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Writes dist/ anew; what a former build left there goes.
 * @returns {Promise<void>}
 * @throws {Error} after what is wrong with the source was printed
 */
export async function build() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { metafile } = await bundle({
    absWorkingDir: root,
    entryPoints: [{ in: 'src/main.ts', out: 'main' }, { in: 'src/library.ts', out: 'library' }, ...migrations()],
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    // Dynamic imports stay dynamic: a run loads only what it needs.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['better-sqlite3', 'pg-native'],
    define: {
      DB_INIT_VERSION: JSON.stringify(version),
      DB_INIT_SETTINGS: JSON.stringify(readFileSync(join(root, '.env.example'), 'utf8')),
      // pg asks for them to tell Cloudflare from Node, and the mere question loads Node's whole fetch (17 ms)
      Response: 'undefined',
      navigator: 'undefined',
    },
    // CommonJS packages in an ES module still ask for Node's own modules by `require`.
    banner: { js: "import { createRequire as $cr } from 'node:module'; const require = $cr(import.meta.url);" },
    plugins: [withoutUnused, jsonAsText, oneCore],
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
    logLimit: 10,
  });
  writeFileSync(join(root, 'dist/licenses.txt'), licenses(Object.keys(metafile.inputs)));
  removeAllBut([...Object.keys(metafile.outputs), 'dist/licenses.txt']);
  declareLibrary();
}

/** Writes dist/library.d.ts. What is exported names only types of the language, so nothing it imports has to be read. */
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

/** What packages load and nobody needs here, and what they get instead. */
const unused = [
  // umzug's own command line would bring 0.9 MB to load with every migration
  { owner: 'umzug', path: /^\.\/cli$/ },
  // what Sequelize has for other database servers, and a package that is not installed for a type that no table has
  { owner: 'sequelize', path: /^\.\/dialects\/(db2|mariadb|mssql|mysql|oracle|snowflake)$/ },
  { owner: 'sequelize', path: /^pg-hstore$/ },
  // checks of values, which the database does, and shapes on the map
  { owner: 'sequelize', path: /^(validator|wkx)$/ },
  // 0.7 MB of time zones: the models have no columns with one
  { owner: 'moment-timezone', path: /latest\.json$/, instead: { zones: [], links: [], countries: [] } },
];

const withoutUnused = {
  name: 'without-unused',
  /** @param {import('esbuild').PluginBuild} esbuild */
  setup(esbuild) {
    for (const { owner, path: filter, instead = {} } of unused) {
      const inside = new RegExp(`[\\\\/]node_modules[\\\\/]${owner}[\\\\/]`);
      esbuild.onResolve({ filter }, ({ path, importer }) =>
        inside.test(importer) ? { path, namespace: 'nothing', pluginData: instead } : undefined,
      );
    }
    esbuild.onLoad({ filter: /.*/, namespace: 'nothing' }, ({ pluginData }) => ({
      contents: `module.exports = ${JSON.stringify(pluginData)};`,
    }));
  },
};

/**
 * What every run loads in one file. esbuild makes a file for each set of modules that are needed together, and a run
 * that has nothing to do spent most of its time on opening twenty of them. A lazily loaded module that refers to all
 * of the core needs it together with everybody else.
 */
const oneCore = {
  name: 'one-core',
  /** @param {import('esbuild').PluginBuild} esbuild */
  setup(esbuild) {
    const lazy = new Set();
    esbuild.onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
      if (kind === 'dynamic-import') lazy.add(join(resolveDir, path));
      return undefined;
    });
    esbuild.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      if (!lazy.has(path)) return undefined;
      const core = JSON.stringify(join(root, 'src/cli/run.ts'));
      return { contents: `${readFileSync(path, 'utf8')}\nimport ${core};\n`, loader: 'ts' };
    });
  },
};

/** V8 reads JSON several times faster than the same as a literal of the language, and the catalogs are large. */
const jsonAsText = {
  name: 'json-as-text',
  /** @param {import('esbuild').PluginBuild} esbuild */
  setup(esbuild) {
    esbuild.onLoad({ filter: /[\\/]src[\\/]schema[\\/][^\\/]+\.json$/ }, ({ path }) => {
      const text = JSON.stringify(JSON.parse(readFileSync(path, 'utf8')));
      return { contents: `export default JSON.parse(${JSON.stringify(text)});` };
    });
  },
};

function migrations() {
  const files = readdirSync(join(root, 'migrations')).filter((name) => /^\d.*\.ts$/.test(name));
  return files.map((name) => ({ in: `migrations/${name}`, out: `migrations/${basename(name, '.ts')}` }));
}

/**
 * The licences of the packages that were bundled, as they ask to be passed on with every copy.
 * @param {string[]} inputs the bundled files
 */
function licenses(inputs) {
  const packages = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  return [...packages].toSorted().map(licenseOf).join('\n');
}

/** @param {string} folder of a package */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const files = readdirSync(join(root, folder)).filter((file) => /^licen[cs]e/i.test(file));
  const texts = files.map((file) => readFileSync(join(root, folder, file), 'utf8'));
  return [`== ${name} ${version} (${license}) ==`, ...texts].join('\n');
}

/** @param {string[]} outputs */
function removeAllBut(outputs) {
  for (const entry of readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })) {
    const path = join('dist', entry);
    if (/\.(?:js|txt)$/.test(path) && !outputs.includes(path)) rmSync(join(root, path));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build().catch(() => {
    process.exitCode = 1;
  });
}
