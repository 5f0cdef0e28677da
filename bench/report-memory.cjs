// Loaded into a measured process: leaves the largest resident memory of it, in KiB, when it ends.
const { writeFileSync } = require('node:fs');
process.on('exit', () => writeFileSync(process.env.BENCH_MEMORY_REPORT, String(process.resourceUsage().maxRSS)));
