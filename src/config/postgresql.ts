import { isIPv6 } from 'node:net';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';

import type { Findings } from './configuration-error.ts';
import type { Keywords } from './postgresql-url.ts';
import { settingFaults, settingHints } from '../report/setting-faults.ts';
import { readText, type Setting, wholeNumber } from './variables.ts';

const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** The TLS modes as libpq defines them (PostgreSQL manual, "SSL Support"). Some drivers define them differently. */
export type SslMode = (typeof sslModes)[number];

/** The address of a server. */
export interface HostAddress {
  /** A name, an address (IPv6 without brackets), or the folder of a Unix socket, which begins with '/'. */
  readonly host: string;
  readonly port: number;
}

/** A PostgreSQL database and how to reach it. */
export interface PostgresTarget extends CertificateFiles, HostAddress {
  readonly kind: 'postgresql';
  /** Further servers of a list, in its order; empty once a run has chosen one (`selectHost`). */
  readonly furtherHosts?: readonly HostAddress[];
  /** All servers of the list, once a run has chosen one of them. The choice may differ from run to run. */
  readonly list?: readonly HostAddress[];
  /** Whether to skip a server of the list whose sessions are read-only: `target_session_attrs=read-write`. */
  readonly wantsReadWrite?: boolean;
  readonly user: string;
  /** Empty if there is none. */
  readonly password: string;
  readonly database: string;
  readonly sslmode: SslMode;
  /** Seconds for one attempt to connect; 0 for no limit. */
  readonly connectTimeout?: number;
  /** The options of a new session: `-csearch_path=timetracker`. */
  readonly options?: string;
  /** The schema to use, if it differs from the one that a session would find itself. */
  readonly schema?: string;
  /** DATABASE_URL as it was written, to redact it in every message. */
  readonly url?: string;
}

/** All servers of a target, in the order in which they are tried. */
export function hostsOf({ host, port, furtherHosts = [] }: PostgresTarget): readonly HostAddress[] {
  return [{ host, port }, ...furtherHosts];
}

interface CertificateFiles {
  /** Absolute path, or 'system' for the certificates of the system. */
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
}

/** Checks libpq's keywords. A missing keyword without a default is a fault of `origin`. */
export function postgresTarget(
  keywords: Keywords,
  origin: string,
  workingDirectory: string,
  findings: Findings,
): PostgresTarget {
  const value = (keyword: string): string | undefined => keywords.get(keyword)?.value;
  const required = (keyword: string, what: string): string =>
    value(keyword) ?? findings.fault(origin, settingFaults.missing(what)) ?? '';

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
    findings.fault(setting.variable, settingFaults.addressAsName);
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
    findings.fault(port?.variable ?? hosts.variable, settingFaults.ports(names.length, ports.length));
    return [];
  }
  return names.map((name, index) => {
    // As in a URL: the application, which builds one from POSTGRES_HOST, needs an IPv6 address in brackets.
    const [, bracketed, plain = name, own] =
      (several ? /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/ : /^\[(.*)\]$/).exec(name) ?? [];
    const host = bracketed ?? plain;
    const odd = several && host === '' ? settingFaults.emptyHost : hostFault(host);
    if (odd !== null) findings.fault(hosts.variable, odd);
    const given = ports.length > 1 ? ports[index] : ports[0];
    const stated = own === undefined ? port && { ...port, value: given ?? '' } : { ...hosts, value: own };
    const known = stated?.value === '' ? undefined : stated;
    return { host, port: numberOf(known, 'port', 1, 65_535, findings) ?? defaultPort };
  });
}

const sessionAttributes = ['any', 'read-write', 'primary', 'prefer-standby'] as const;

/**
 * Reads which server of a list is wanted (`target_session_attrs`). db-init always uses the primary, because it writes.
 * It advises if the application may connect to another server.
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
        ? settingFaults.readOnlyServer(value, allowed)
        : settingFaults.sessionAttributes(value, allowed),
    );
  } else if (several && (found === 'any' || found === 'prefer-standby')) {
    findings.hint(settingHints.sessionAttributes(found));
  }
  return found ?? 'any';
}

/**
 * The reason why a text cannot be a host, found without a lookup; null if there is none. It does not repeat the text,
 * which may contain a password.
 */
function hostFault(host: string): string | null {
  if (host.startsWith('/')) return null;
  if (/[@/]/.test(host)) return settingFaults.moreThanHost;
  if (/\s/.test(host)) return settingFaults.blankInHost;
  if (host.includes(':') && !isIPv6(host)) {
    return settingFaults.portInHost;
  }
  return null;
}

/** Whether a text is an address or a part of one that may contain its password: no user or database has such a name. */
export function holdsAddress(name: string): boolean {
  return /:\/|\/\/.*:|:.*@/s.test(name);
}

/** libpq's default for the user; a container may run with a user id that has no name. */
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
  // In an address, the port may be a password: "postgresql://user:password" lacks only its host.
  const found = setting.variable.startsWith('DATABASE_URL') ? null : setting.value;
  return (
    wholeNumber(setting.value, least, most) ??
    findings.fault(setting.variable, settingFaults.numberInRange(what, found, least, most))
  );
}

function sslModeOf(keywords: Keywords, findings: Findings): SslMode {
  const system = keywords.get('sslrootcert')?.value === 'system';
  const setting = keywords.get('sslmode');
  if (setting === undefined) return system ? 'verify-full' : 'prefer';

  // "allow" tries TLS last, "prefer" tries it first: both reach the same servers, and "prefer" is never less secure.
  const found = setting.value === 'allow' ? 'prefer' : setting.value;
  const mode = sslModes.find((candidate) => candidate === found);
  if (mode === undefined) {
    findings.fault(setting.variable, settingFaults.sslMode(found, `${sslModes.join(', ')}, allow`));
  } else if (system && mode !== 'verify-full') {
    // libpq refuses this, too: anybody can get a certificate from a public authority.
    findings.fault(setting.variable, settingFaults.sslModeWithSystem(mode));
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
      findings.fault(setting.variable, settingFaults.unreadableCertificate(keyword, path, content.reason));
    }
    files[keyword] = path;
  }
  const alone =
    files.sslcert === undefined ? keywords.get('sslkey') : files.sslkey === undefined && keywords.get('sslcert');
  if (alone) findings.fault(alone.variable, settingFaults.certificateAlone);
  return files;
}
