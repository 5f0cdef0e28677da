import { describe, inject } from 'vitest';

/** The PostgreSQL server that the integration tests share, or why there is none. */
export type PostgresServer =
  | {
      readonly kind: 'found';
      /** A superuser's URL of the maintenance database `postgres`. */
      readonly url: string;
      /** As the server reports it, for example `16.4`. */
      readonly version: string;
      readonly major: number;
      /** How it was found, as a text for people. */
      readonly source: string;
      /** The folder with a psql, pg_dump and pg_restore that work with this server; null if there is none. */
      readonly binDirectory: string | null;
      /** The prefix of this run's template databases, which are dropped at the end of the run. */
      readonly templatePrefix: string;
    }
  | { readonly kind: 'missing'; readonly reason: string };

export type FoundServer = Extract<PostgresServer, { kind: 'found' }>;

declare module 'vitest' {
  interface ProvidedContext {
    postgres: PostgresServer;
  }
}

/** The server that the project's global setup found. */
export function postgresServer(): PostgresServer {
  return inject('postgres');
}

/** Like `postgresServer`, for code that only runs if there is a server. @throws Error if there is none */
export function requirePostgres(): FoundServer {
  const server = postgresServer();
  if (server.kind === 'missing') throw new Error(`No PostgreSQL for the tests: ${server.reason}`);
  return server;
}

/** The needs of a suite: a server, or a server together with its client tools. */
export type Need = 'server' | 'tools';

/** A suite that needs PostgreSQL. Without it the suite is skipped, with the reason in its title. */
export function describePostgres(title: string, spec: () => void, need: Need = 'server'): void {
  const reason = whyNot(postgresServer(), need);
  if (reason === null) describe(title, spec);
  else describe.skip(`${title} [skipped: ${reason}]`, spec);
}

function whyNot(server: PostgresServer, need: Need): string | null {
  if (server.kind === 'missing') return server.reason;
  if (need === 'tools' && server.binDirectory === null) return `no pg_dump for PostgreSQL ${server.major} here`;
  return null;
}
