/// <reference types="node" />
// dist/main.js: starts the program. The code that every run needs is one file, that for each engine is another, and V8's
// compiled form is beside them: otherwise, a run with nothing to do would spend most of its time opening and compiling
// many files. All other code is in separate files, which are loaded on demand.
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

/** @typedef {(require: (id: string) => unknown, module: { exports: unknown }, exports: unknown) => void} Chunk */

const folder = path.join(__dirname, 'chunks');
/** @type {Map<string, { exports: unknown }>} */
const modules = new Map();
const chunks = chunksIn('core.js');

/**
 * Evaluates a file of the program. All of them are ASCII.
 * @param {string} name
 * @returns {unknown}
 */
function evaluate(name) {
  const file = path.join(folder, name);
  const cachedData = codeCache(`${file}.cache`);
  const options = { filename: pathToFileURL(file).href, ...(cachedData !== null && { cachedData }) };
  return new Script(readFileSync(file, 'latin1'), options).runInThisContext();
}

/**
 * The compiled code that the build has kept. V8 checks whether it fits, and otherwise compiles the file itself.
 * @param {string} file
 */
function codeCache(file) {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}

/**
 * @param {string} id as `require` gets it
 * @returns {unknown}
 */
function load(id) {
  if (!id.startsWith('.')) return require(id);
  const name = path.basename(id);
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  /** @type {{ exports: unknown }} */
  const module = { exports: {} };
  modules.set(name, module);
  if (name.endsWith('.json')) module.exports = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
  else chunk(name)?.(load, module, module.exports);
  return module.exports;
}

/** @param {string} name */
function chunk(name) {
  // an old database needs nearly all migrations
  if (!(name in chunks)) Object.assign(chunks, chunksIn(/^\d/.test(name) ? 'revisions.js' : name));
  return chunks[name];
}

/** @param {string} name of a file: that of its first chunk, or of them all */
function chunksIn(name) {
  return /** @type {Record<string, Chunk>} */ (evaluate(name));
}

load('./main.js');
