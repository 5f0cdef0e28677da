import { type DatabaseTarget, type HostAddress, hostsOf, type PostgresTarget } from '../config/config.ts';

/** What people call a database, without its secrets: `timetracker on db:5432`, `/data/timetracker.db`. */
export function displayNameOf(target: DatabaseTarget): string {
  return target.kind === 'sqlite' ? target.file : describePostgres(target);
}

/**
 * Every name under which a database may have been written down: in a backup, a journal, a memory. Of several servers
 * a run works on one and writes that one's name, and after a failover it is another one's.
 */
export function namesOf(target: DatabaseTarget): ReadonlySet<string> {
  if (target.kind === 'sqlite') return new Set([target.file]);
  const { furtherHosts: _, list = hostsOf(target), ...first } = target;
  return new Set([displayNameOf(target), ...list.map((address) => describePostgres({ ...first, ...address }))]);
}

/** All hosts are named until a run has settled on one of them. */
export function describePostgres(target: PostgresTarget): string {
  const [{ host } = target, ...further] = hostsOf(target);
  if (further.length === 0 && host.startsWith('/')) return `${target.database} on the socket in ${host}`;
  return `${target.database} on ${hostsOf(target).map(describeHost).join(' or ')}`;
}

/** `db:5432`, `[::1]:5432`, `/var/run/postgresql:5432` */
export function describeHost({ host, port }: HostAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
