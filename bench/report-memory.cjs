/// <reference types="node" />
// Loaded into a measured process: leaves the largest resident memory of it, in KiB, when it ends.
const { readFileSync, writeFileSync } = require('node:fs');

// Linux counts what started a process as its first memory in getrusage, but not here.
function largest() {
  try {
    return /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

process.on('exit', () => writeFileSync(process.env.BENCH_MEMORY_REPORT, String(largest())));
