import { isIPv6 } from 'node:net';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';

import type { Findings } from './configuration-error.ts';
import type { Keywords } from './postgresql-url.ts';
import { expected, quote, readText, type Setting, wholeNumber } from './variables.ts';

const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** As libpq means them (PostgreSQL manual, "SSL Support"), which is not how every driver does. */
export type SslMode = (typeof sslModes)[number];

/** A PostgreSQL database and how to reach it. */
export interface PostgresTarget extends CertificateFiles {
  readonly kind: 'postgresql';
  /** A name, an address (IPv6 without brackets), or the folder of a Unix socket, which begins with '/'. */
  readonly host: string;
  readonly port: number;
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

  // As in a URL: the application, which builds one from POSTGRES_HOST, needs an IPv6 address in brackets.
  const host = required('host', 'host').replace(/^\[(.*)\]$/, '$1');
  const odd = oddityOf(host);
  if (odd !== null) findings.fault(keywords.get('host')?.variable ?? origin, odd);
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
    host,
    port: numberOf(keywords.get('port'), 'port', 1, 65_535, findings) ?? 5432,
    user: value('user') ?? systemUser() ?? required('user', 'user'),
    password: value('password') ?? '',
    database: required('dbname', 'database'),
    sslmode: sslModeOf(keywords, findings),
    ...certificateFiles(keywords, workingDirectory, findings),
    ...(timeout === undefined ? {} : { connectTimeout: timeout }),
    ...(options === undefined ? {} : { options }),
  };
}

/** The driver knows no lists of hosts, and the client tools must not choose another one than the gate did. */
const severalHosts =
  'names several hosts; write only the one that takes writes (the primary, or an address that always leads to it), ' +
  'postgresql://user:password@host:5432/database; the DATABASE_URL of the application may keep its list';

/** Why something is no host, as far as one can see without asking for it. It is not repeated: it may hold a password. */
function oddityOf(host: string): string | null {
  if (host.includes(',')) return severalHosts;
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
