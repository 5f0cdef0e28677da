/// <reference types="node" />
// Loaded into a run of the built program (`node --require`): when it ends, what V8 has compiled of the core by then is
// kept beside it. dist/main.js hands it back to V8.
const { writeFileSync } = require('node:fs');
const { fileURLToPath } = require('node:url');
const vm = require('node:vm');

vm.Script = class extends vm.Script {
  /** @param {string} source @param {{ filename: string }} options */
  constructor(source, options) {
    super(source, options);
    if (!options.filename.endsWith('/core.js')) return;
    const file = fileURLToPath(options.filename);
    process.on('exit', () => writeFileSync(`${file}.cache`, this.createCachedData()));
  }
};
