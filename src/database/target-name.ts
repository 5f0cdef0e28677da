import type { DatabaseTarget, PostgresTarget } from '../config/config.ts';

/** What people call a database, without its secrets: `timetracker on db:5432`, `/data/timetracker.db`. */
export function nameOf(target: DatabaseTarget): string {
  return target.kind === 'sqlite' ? target.file : describePostgres(target);
}

export function describePostgres({ database, host, port }: PostgresTarget): string {
  if (host.startsWith('/')) return `${database} on the socket in ${host}`;
  return `${database} on ${host.includes(':') ? `[${host}]` : host}:${port}`;
}
