import { isIPv6 } from 'node:net';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';

import type { Findings } from './configuration-error.ts';
import type { Keywords } from './postgresql-url.ts';
import { expected, quote, readText, type Setting, wholeNumber } from './variables.ts';

const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** As libpq means them (PostgreSQL manual, "SSL Support"), which is not how every driver does. */
export type SslMode = (typeof sslModes)[number];

/** Where a server listens. */
export interface HostAddress {
  /** A name, an address (IPv6 without brackets), or the folder of a Unix socket, which begins with '/'. */
  readonly host: string;
  readonly port: number;
}

/** A PostgreSQL database and how to reach it. */
export interface PostgresTarget extends CertificateFiles, HostAddress {
  readonly kind: 'postgresql';
  /** Further servers of a list, in its order: none once a run has settled on one (`settleHost`). */
  readonly furtherHosts?: readonly HostAddress[];
  /** All servers of the list, once a run has settled on one of them: which one that is may change from run to run. */
  readonly list?: readonly HostAddress[];
  /** Whether a server of a list is passed over whose sessions are read-only: `target_session_attrs=read-write`. */
  readonly wantsReadWrite?: boolean;
  readonly user: string;
  /** Empty if there is none. */
  readonly password: string;
  readonly database: string;
  readonly sslmode: SslMode;
  /** Seconds for one attempt to connect; 0 for no limit. */
  readonly connectTimeout?: number;
  /** What the server is told when a session starts: `-csearch_path=timetracker`. */
  readonly options?: string;
  /** The schema to work in, where that is another one than a session would find by itself. */
  readonly schema?: string;
  /** DATABASE_URL as it was written: kept only so that it can be kept out of every message. */
  readonly url?: string;
}

/** All servers that a target names, in the order in which they are tried. */
export function hostsOf({ host, port, furtherHosts = [] }: PostgresTarget): readonly HostAddress[] {
  return [{ host, port }, ...furtherHosts];
}

interface CertificateFiles {
  /** Absolute path, or 'system' for the certificates of the system. */
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
}

/** Judges libpq's keywords. What is missing although it has no default is a fault of `origin`. */
export function postgresTarget(
  keywords: Keywords,
  origin: string,
  workingDirectory: string,
  findings: Findings,
): PostgresTarget {
  const value = (keyword: string): string | undefined => keywords.get(keyword)?.value;
  const required = (keyword: string, what: string): string =>
    value(keyword) ??
    findings.fault(origin, `names no ${what}; allowed: postgresql://user:password@host/database`) ??
    '';

  const hosts = keywords.get('host') ?? { variable: origin, value: required('host', 'host') };
  const [first = { host: '', port: defaultPort }, ...furtherHosts] = hostAddresses(
    hosts,
    keywords.get('port'),
    findings,
  );
  const attributes = sessionAttributesOf(keywords.get('target_session_attrs'), furtherHosts.length > 0, findings);
  for (const keyword of ['user', 'dbname']) {
    const setting = keywords.get(keyword);
    if (setting === undefined || !holdsAddress(setting.value)) continue;
    findings.fault(
      setting.variable,
      'holds an address (not shown) where a name belongs; DATABASE_URL is the place for it',
    );
  }
  const options = value('options');
  const timeout = numberOf(keywords.get('connect_timeout'), 'connect_timeout', 0, 86_400, findings);
  return {
    kind: 'postgresql',
    ...first,
    user: value('user') ?? systemUser() ?? required('user', 'user'),
    password: value('password') ?? '',
    database: required('dbname', 'database'),
    sslmode: sslModeOf(keywords, findings),
    ...certificateFiles(keywords, workingDirectory, findings),
    ...(timeout === undefined ? {} : { connectTimeout: timeout }),
    ...(options === undefined ? {} : { options }),
    ...(furtherHosts.length > 0 && { furtherHosts }),
    ...(furtherHosts.length > 0 && attributes === 'read-write' && { wantsReadWrite: true }),
  };
}

const defaultPort = 5432;

/**
 * The servers of a host, or of a list of them: `a,b` with one port for all or one for each, as libpq reads it, and
 * `a:1,b:2`. (PostgreSQL manual, "Specifying Multiple Hosts".)
 */
function hostAddresses(hosts: Setting, port: Setting | undefined, findings: Findings): readonly HostAddress[] {
  const names = hosts.value.split(',');
  const several = names.length > 1;
  const ports = (port?.value ?? '').split(',');
  if (ports.length > 1 && ports.length !== names.length) {
    const found = several ? `${names.length} hosts and ${ports.length} ports` : `${ports.length} ports for one host`;
    findings.fault(port?.variable ?? hosts.variable, `has ${found}; allowed: one port, or one for each host`);
    return [];
  }
  return names.map((name, index) => {
    // As in a URL: the application, which builds one from POSTGRES_HOST, needs an IPv6 address in brackets.
    const [, bracketed, plain = name, own] =
      (several ? /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/ : /^\[(.*)\]$/).exec(name) ?? [];
    const host = bracketed ?? plain;
    const odd = several && host === '' ? 'has an empty host in its list' : oddityOf(host);
    if (odd !== null) findings.fault(hosts.variable, odd);
    const given = ports.length > 1 ? ports[index] : ports[0];
    const stated = own === undefined ? port && { ...port, value: given ?? '' } : { ...hosts, value: own };
    const known = stated?.value === '' ? undefined : stated;
    return { host, port: numberOf(known, 'port', 1, 65_535, findings) ?? defaultPort };
  });
}

const sessionAttributes = ['any', 'read-write', 'primary', 'prefer-standby'] as const;

/**
 * Which server of a list is wanted (`target_session_attrs`). Whatever it is, db-init takes the primary, for it writes;
 * where the application may end at another server, that is said.
 */
function sessionAttributesOf(
  setting: Setting | undefined,
  several: boolean,
  findings: Findings,
): (typeof sessionAttributes)[number] {
  const value = setting?.value ?? 'any';
  const found = sessionAttributes.find((attribute) => attribute === value);
  if (found === undefined && setting !== undefined) {
    const allowed = sessionAttributes.join(', ');
    findings.fault(
      setting.variable,
      value === 'standby' || value === 'read-only'
        ? `asks for a server that takes no writes (target_session_attrs=${value}), and db-init and the application have ` +
            `to write; allowed: ${allowed}`
        : `asks for a target_session_attrs that ${expected(value, allowed)}`,
    );
  } else if (several && (found === 'any' || found === 'prefer-standby')) {
    const behaviour = found === 'any' ? 'connects to the first host that answers, even a standby' : 'prefers a standby';
    findings.hint(
      `db-init works on the host that takes writes, but with target_session_attrs=${found} the application ${behaviour}: ` +
        'write target_session_attrs=read-write.',
    );
  }
  return found ?? 'any';
}

/** Why something is no host, as far as one can see without asking for it. It is not repeated: it may hold a password. */
function oddityOf(host: string): string | null {
  if (host.startsWith('/')) return null;
  if (/[@/]/.test(host)) return 'holds more than a host (not shown); an address as a whole belongs into DATABASE_URL';
  if (/\s/.test(host)) return 'has a blank or a line break in its host';
  if (host.includes(':') && !isIPv6(host)) {
    return 'holds more than a host; a port has a place of its own: POSTGRES_PORT, or after the host in DATABASE_URL';
  }
  return null;
}

/** Whether something is an address, or a part of one that may hold its password: no user or database is called that. */
export function holdsAddress(name: string): boolean {
  return /:\/|\/\/.*:|:.*@/s.test(name);
}

/** libpq's default for the user; a container may run under a number that has no name. */
function systemUser(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

function numberOf(
  setting: Setting | undefined,
  what: string,
  least: number,
  most: number,
  findings: Findings,
): number | undefined {
  if (setting === undefined) return undefined;
  // In an address the port's place may hold a password: "postgresql://user:password" lacks only its host.
  const found = setting.variable.startsWith('DATABASE_URL') ? '(not shown)' : quote(setting.value);
  return (
    wholeNumber(setting.value, least, most) ??
    findings.fault(setting.variable, `has the ${what} ${found}; allowed: a whole number from ${least} to ${most}`)
  );
}

function sslModeOf(keywords: Keywords, findings: Findings): SslMode {
  const system = keywords.get('sslrootcert')?.value === 'system';
  const setting = keywords.get('sslmode');
  if (setting === undefined) return system ? 'verify-full' : 'prefer';

  // "allow" asks for TLS last, "prefer" first: the same to a server that offers both, and never less secure.
  const found = setting.value === 'allow' ? 'prefer' : setting.value;
  const mode = sslModes.find((candidate) => candidate === found);
  if (mode === undefined) {
    findings.fault(setting.variable, `asks for an sslmode that ${expected(found, `${sslModes.join(', ')}, allow`)}`);
  } else if (system && mode !== 'verify-full') {
    // So does libpq: anybody can get a certificate from a public authority.
    findings.fault(setting.variable, `asks for sslmode ${mode}; sslrootcert=system allows only verify-full`);
  }
  return mode ?? 'prefer';
}

function certificateFiles(keywords: Keywords, workingDirectory: string, findings: Findings): CertificateFiles {
  const files: { -readonly [Key in keyof CertificateFiles]: CertificateFiles[Key] } = {};
  for (const keyword of ['sslrootcert', 'sslcert', 'sslkey'] as const) {
    const setting = keywords.get(keyword);
    if (setting === undefined) continue;
    if (keyword === 'sslrootcert' && setting.value === 'system') {
      files[keyword] = 'system';
      continue;
    }
    const path = resolve(workingDirectory, setting.value);
    const content = readText(path);
    if (content.kind === 'unreadable') {
      findings.fault(setting.variable, `has an ${keyword} that cannot be read: ${path} (${content.reason})`);
    }
    files[keyword] = path;
  }
  const alone =
    files.sslcert === undefined ? keywords.get('sslkey') : files.sslkey === undefined && keywords.get('sslcert');
  if (alone) findings.fault(alone.variable, 'has only one of sslcert and sslkey; allowed: both or neither');
  return files;
}
