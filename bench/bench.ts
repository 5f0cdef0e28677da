/**
 * Measures db-init against the plain tools, side by side in one run: `npm run bench`. Compare the ratios; seconds
 * depend on the machine. The limits are those of docs/performance.md for a quiet machine.
 */
import { describeMachine } from './machine.ts';
import { measureLarge } from './measure-large.ts';
import { measureTransfer } from './measure-transfer.ts';
import { measureSmall } from './measure-small.ts';
import { isBroken, renderTable, type Result } from './table.ts';
import { openBench } from './workbench.ts';

const [, , part = 'all'] = process.argv;
if (!['all', 'small', 'large'].includes(part)) throw new Error(`npm run bench -- [small | large], not ${part}`);
/** The rows of the transfer. The limit that was promised is that of 1,000,000, which take ten minutes. */
const timeEntries = part === 'small' ? 100_000 : 1_000_000;
const sizes = {
  database: gigabytes('BENCH_GIGABYTES', 0.2),
  uploads: gigabytes('BENCH_ARCHIVE_GIGABYTES', 1),
  files: Number(process.env['BENCH_FILES'] ?? 200_000),
};

const bench = await openBench();
try {
  process.stdout.write(`${await describeMachine(bench)}\n`);
  if (bench.postgres === null) process.stdout.write('SKIPPED: everything on PostgreSQL, whose programs are not here\n');
  const results = [
    ...(part === 'large' ? [] : await announced('the gate and the seed', () => measureSmall(bench))),
    ...(await announced('the transfer from SQLite to PostgreSQL', () => measureTransfer(bench, timeEntries))),
    ...(part === 'small' ? [] : await announced('backups and restores', () => measureLarge(bench, sizes))),
  ];
  process.stdout.write(renderTable(results));
  if (results.some(isBroken)) process.exitCode = 1;
} finally {
  await bench.close();
}

/** Progress goes to standard error, so that the table stays clean. */
async function announced(what: string, measure: () => Promise<readonly Result[]>): Promise<readonly Result[]> {
  const started = performance.now();
  process.stderr.write(`Measuring ${what} … `);
  const results = await measure();
  process.stderr.write(`${Math.round((performance.now() - started) / 1000)} s\n`);
  return results;
}

/** @returns bytes */
function gigabytes(variable: string, otherwise: number): number {
  const number = Number(process.env[variable] ?? otherwise);
  if (!(number > 0)) throw new Error(`${variable} is to be a number of gigabytes, not ${process.env[variable]}`);
  return number * 1e9;
}
