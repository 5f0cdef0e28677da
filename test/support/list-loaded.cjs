/// <reference types="node" />
// Loaded into a process (`node --require`): leaves a list of the modules of Node.js that it had loaded at its end.
const { writeFileSync } = require('node:fs');

process.on('exit', () => {
  // Node's own list; its types do not tell
  /** @type {unknown} */
  const loaded = Reflect.get(process, 'moduleLoadList');
  writeFileSync(process.env.LIST_LOADED ?? '', Array.isArray(loaded) ? loaded.join('\n') : '');
});
