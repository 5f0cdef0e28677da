/// <reference types="node" />
// Loaded into a run of the built program (`node --require`). When the run ends, it writes V8's compiled code of each
// loaded file beside that file, unless another run has done so. dist/main.js passes this code back to V8.
const { existsSync, writeFileSync } = require('node:fs');
const { fileURLToPath } = require('node:url');
const vm = require('node:vm');

/** @type {Map<string, import('node:vm').Script>} */
const scripts = new Map();

vm.Script = class extends vm.Script {
  /** @param {string} source @param {{ filename: string }} options */
  constructor(source, options) {
    super(source, options);
    const file = `${fileURLToPath(options.filename)}.cache`;
    if (!existsSync(file)) scripts.set(file, this);
  }
};

process.on('exit', () => {
  for (const [file, script] of scripts) writeFileSync(file, script.createCachedData());
});
