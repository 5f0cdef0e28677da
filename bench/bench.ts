/**
 * Measures db-init against the plain tools, side by side in one run: `npm run bench`. What counts are the ratios;
 * seconds depend on the machine. The limits are the ones that docs/performance.md promises for a quiet machine.
 */
import { cpus, totalmem } from 'node:os';
import { measureAll } from './measures.ts';
import { openBench } from './workbench.ts';

/** Other work on the machine may cost one side more than the other: only beyond this is a limit taken for broken. */
const tolerance = 1.5;

const bench = await openBench();
try {
  const [cpu] = cpus();
  process.stdout.write(
    `${cpus().length} × ${cpu?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}, ` +
      `PostgreSQL ${bench.postgres?.version ?? 'not found'}\n\n`,
  );
  const results = await measureAll(bench);
  const width = Math.max(...results.map(({ name }) => name.length));
  for (const { name, ours, theirs, limit, unit } of results) {
    const ratio = ours / theirs;
    const verdict = ratio <= limit ? 'ok' : 'over the limit';
    const figures = `${format(ours)} / ${format(theirs)} ${unit}`;
    process.stdout.write(
      `${name.padEnd(width)}  ${figures.padStart(18)}  ratio ${ratio.toFixed(2)}  (limit ${limit})  ${verdict}\n`,
    );
  }
  if (results.some(({ ours, theirs, limit }) => ours / theirs > limit * tolerance)) process.exitCode = 1;
} finally {
  await bench.close();
}

function format(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}
