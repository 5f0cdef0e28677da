import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { startCluster } from '../test/support/local-cluster.ts';
import { installations } from '../test/support/postgres-installations.ts';

/** A PostgreSQL server with its tools. */
export interface BenchServer {
  readonly version: string;
  /** The version of pg_dump. */
  readonly tools: string;
  readonly bin: string;
  /** The URL of a new, empty database. */
  create(): Promise<string>;
  /** The URL of a new copy of a database. */
  copy(url: string): Promise<string>;
  drop(url: string): Promise<void>;
  /** Runs statements in a database. @returns the only value of the last one's first row, as text; '' if it has none */
  query(url: string, sql: string): Promise<string>;
}

export interface Bench {
  readonly folder: string;
  readonly postgres: BenchServer | null;
  close(): Promise<void>;
}

export const entrypoint = resolve('entrypoint');

/** Prepares a folder and, where the machine has PostgreSQL's programs, a server of its own with default settings. */
export async function openBench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'db-init-bench-'));
  const [installation] = await installations(['initdb', 'postgres', 'psql', 'pg_dump', 'pg_restore']);
  // autovacuum would slow only one of the sides
  const settings = ['-c', 'autovacuum=off'];
  const server = installation === undefined ? null : await startCluster(dirname(installation.bin), settings);
  return {
    folder,
    postgres:
      server === null || installation === undefined ? null : benchServer(server.url, server.version, installation.bin),
    async close() {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function benchServer(url: string, version: string, bin: string): BenchServer {
  let count = 0;
  const createFrom = async (template: string): Promise<string> => {
    const name = `bench_${++count}`;
    await query(url, `CREATE DATABASE ${name} TEMPLATE ${template}`);
    const created = new URL(url);
    created.pathname = `/${name}`;
    return created.href;
  };
  return {
    version,
    tools: outputOf(join(bin, 'pg_dump'), ['--version']).replace(/^\D+([\d.]+)[^]*$/, '$1'),
    bin,
    create: () => createFrom('template0'),
    copy: (original) => createFrom(new URL(original).pathname.slice(1)),
    async drop(created) {
      await query(url, `DROP DATABASE ${new URL(created).pathname.slice(1)}`);
    },
    query,
  };
}

async function query(url: string, sql: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const results: unknown = await client.query({ text: sql, rowMode: 'array' });
    const last: unknown = Array.isArray(results) ? results.at(-1) : results;
    if (typeof last !== 'object' || last === null || !('rows' in last) || !Array.isArray(last.rows)) return '';
    const row: unknown = last.rows.at(0);
    return Array.isArray(row) ? String(row[0]) : '';
  } finally {
    await client.end();
  }
}

export interface Command {
  readonly file: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Settings of the environment slow the start of Node.js: reading certificates doubles its time, which would improve every ratio. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _certificates, NODE_OPTIONS: _options, ...environment } = process.env;
  return environment;
}

/** Runs a process to its end. @returns seconds from its start to its end; @throws if it fails */
export function timed({ file, args = [], env = {}, input = '' }: Command): number {
  const started = performance.now();
  const { status, stderr, error } = spawnSync(file, args, {
    env: { ...plainEnvironment(), ...env },
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} exited with ${status}: ${stderr}`);
  return (performance.now() - started) / 1000;
}

/** What a process writes to standard output. */
export function outputOf(file: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${file} exited with ${status}: ${stderr}`);
  return stdout;
}

/** Runs db-init and returns its largest resident memory in MiB, as the process itself reports it at its end. */
export function memoryOf({ args = [], env = {} }: Pick<Command, 'args' | 'env'>, folder: string): number {
  const report = join(folder, 'memory');
  const watched = { NODE_OPTIONS: `--require ${resolve('bench/report-memory.cjs')}`, BENCH_MEMORY_REPORT: report };
  timed({ file: entrypoint, args, env: { ...env, ...watched } });
  return Number(readFileSync(report, 'utf8')) / 1024;
}

/** Runs both sides in turn and returns the median of each. */
export async function sideBySide(
  rounds: number,
  ours: () => Promise<number> | number,
  theirs: () => Promise<number> | number,
): Promise<{ ours: number; theirs: number }> {
  const samples: { ours: number; theirs: number }[] = [];
  for (let round = 0; round < rounds; round++) samples.push({ ours: await ours(), theirs: await theirs() });
  return { ours: median(samples.map((sample) => sample.ours)), theirs: median(samples.map((sample) => sample.theirs)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
