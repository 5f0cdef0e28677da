/// <reference types="node" />
// Loaded into a measured process. At its end it writes the largest resident memory of the process, in KiB.
const { readFileSync, writeFileSync } = require('node:fs');

// In getrusage, Linux includes the memory of the process that started this one; here it does not.
function largest() {
  try {
    return /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

process.on('exit', () => writeFileSync(process.env.BENCH_MEMORY_REPORT, String(largest())));
