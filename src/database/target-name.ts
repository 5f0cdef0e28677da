import { type DatabaseTarget, type HostAddress, hostsOf, type PostgresTarget } from '../config/config.ts';

/** The name of a database in messages, without secrets: `timetracker on db:5432`, `/data/timetracker.db`. */
export function displayNameOf(target: DatabaseTarget): string {
  return target.kind === 'sqlite' ? target.file : describePostgres(target);
}

/**
 * All names under which a database may have been recorded, in a backup, a journal or a state file. If the address lists
 * several servers, a run records the server that it uses, and after a failover it uses another one.
 */
export function namesOf(target: DatabaseTarget): ReadonlySet<string> {
  if (target.kind === 'sqlite') return new Set([target.file]);
  const { furtherHosts: _, list = hostsOf(target), ...first } = target;
  return new Set([displayNameOf(target), ...list.map((address) => describePostgres({ ...first, ...address }))]);
}

/** The name of a PostgreSQL database; with all hosts until one of them is chosen. */
export function describePostgres(target: PostgresTarget): string {
  const [{ host } = target, ...further] = hostsOf(target);
  if (further.length === 0 && host.startsWith('/')) return `${target.database} on the socket in ${host}`;
  return `${target.database} on ${hostsOf(target).map(describeHost).join(' or ')}`;
}

/** `db:5432`, `[::1]:5432`, `/var/run/postgresql:5432` */
export function describeHost({ host, port }: HostAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
