import { settingFaults, settingHints } from '../report/setting-faults.ts';
import type { Findings } from './configuration-error.ts';
import { placeholderPattern, type Setting } from './variables.ts';

/** Connection settings by the names libpq gives them: host, port, user, password, dbname, sslmode, … */
export type Keywords = Map<string, Setting>;

/*
 * Parses as the application does: SQLAlchemy's make_url reads everything up to the first '@' as user and password, so
 * a password may contain '/', '?', '#', '%', ':' and '[' unencoded. Host and database must follow libpq's grammar. We
 * use no library, because each corrects or changes what we must report: WHATWG URL refuses sockets and re-encodes
 * passwords; pg-connection-string builds on it, encodes a URL with a stray '%' a second time, leaves %2F in a
 * database's name, says only 'Invalid URL' to a '#', and reads certificates by itself.
 */
const grammar = new RegExp(
  [
    '^(?:(?<user>[^:/]*)(?::(?<password>[^@]*))?@)?',
    String.raw`(?:(?<hosts>[^@/?#]*,[^@/?#]*)|(?<host>\[[^\]@/?#]*\]|[^:@/?#[\]]*)(?::(?<port>[^:@/?#]*))?)`,
    String.raw`(?:/(?<dbname>[^@/?#]*))?(?:\?(?<parameters>[^#]*))?$`,
  ].join(''),
);

const knownParameters = new Set(
  'host port user password dbname sslmode sslrootcert sslcert sslkey connect_timeout options target_session_attrs'.split(
    ' ',
  ),
);

/**
 * Splits the text after `postgresql://` into libpq's keywords, decoded but not checked. Parameters after `?` override
 * the parts before it (PostgreSQL manual, "Connection URIs").
 */
export function postgresqlKeywords(url: Setting, rest: string, findings: Findings): Keywords | undefined {
  const unreplaced = placeholderFault(rest);
  if (unreplaced !== null) return findings.fault(url.variable, unreplaced);
  const { user, password, hosts, host = hosts, port, dbname, parameters } = grammar.exec(rest)?.groups ?? {};
  // If no user was found, an '@' after the '?' may end a password whose beginning was taken for the host.
  if (host === undefined || (user === undefined && parameters?.includes('@') === true)) {
    return findings.fault(url.variable, describeFault(rest));
  }

  const keywords: Keywords = new Map();
  const keep = (keyword: string, text: string | undefined): void => {
    if (text === undefined || text === '') return;
    keywords.set(keyword, { variable: url.variable, value: decode(keyword, text, url, findings) });
  };
  keep('user', user);
  keep('password', password);
  keep('host', host);
  keep('port', port);
  keep('dbname', dbname);
  if (hosts?.includes(':') === true) {
    findings.hint(settingHints.hostsBeforeName(url.variable));
  }
  hintAtEncodings(url, { user, password, host, database: dbname }, findings);
  keepParameters(url, parameters ?? '', keep, findings);
  return keywords;
}

/**
 * A variable that nothing has replaced by its value: the user or the password as a whole (a password may contain such a
 * text), or anything after them. @returns null if there is none
 */
function placeholderFault(rest: string): string | null {
  const end = rest.lastIndexOf('@');
  const [credentials, place] = [rest.slice(0, Math.max(end, 0)), rest.slice(end + 1)];
  const pattern = placeholderPattern.source;
  if (new RegExp(`:${pattern}$`).test(credentials)) return settingFaults.placeholder(null);
  const [found] = new RegExp(`^${pattern}(?=:|$)`).exec(credentials) ?? placeholderPattern.exec(place) ?? [];
  // without an '@', it may belong to a password
  return found === undefined ? null : settingFaults.placeholder(end === -1 ? null : found);
}

function keepParameters(
  url: Setting,
  parameters: string,
  keep: (keyword: string, text: string) => void,
  findings: Findings,
): void {
  const ignored: string[] = [];
  const hosts: string[] = [];
  for (const parameter of parameters.split('&').filter((part) => part !== '')) {
    const [, name, value] = /^(\w+)=(.*)$/s.exec(parameter) ?? [];
    if (name === undefined || value === undefined) {
      findings.fault(url.variable, settingFaults.unnamedParameter);
    } else if (name === 'host') {
      // SQLAlchemy reads a repeated host as a list of hosts, not as the last value
      if (value !== '') hosts.push(value);
      keep(name, hosts.join(','));
    } else if (knownParameters.has(name)) {
      // the application's driver gets options from SQLAlchemy, which decodes '+' to a blank
      keep(name, name === 'options' ? value.replaceAll('+', ' ') : value);
    } else if (name !== 'application_name') {
      ignored.push(name);
    }
  }
  if (ignored.length > 0) findings.hint(settingHints.ignoredParameters(url.variable, ignored));
}

function decode(keyword: string, text: string, url: Setting, findings: Findings): string {
  try {
    // in user and password, SQLAlchemy keeps a '%' that is not an encoding
    const lenient = keyword === 'user' || keyword === 'password';
    const decoded = decodeURIComponent(lenient ? text.replaceAll(/%(?![\da-f]{2})/gi, '%25') : text);
    if (!decoded.includes('\0')) return decoded;
    findings.fault(url.variable, settingFaults.zeroByte(keyword));
  } catch {
    findings.fault(url.variable, settingFaults.strayPercent(keyword));
  }
  return '';
}

/** The application passes user and password undecoded to its wait step, and host and database to its driver. */
function hintAtEncodings(url: Setting, parts: Readonly<Record<string, string | undefined>>, findings: Findings): void {
  const encoded = Object.keys(parts).filter((part) => /%[\da-f]{2}/i.test(parts[part] ?? ''));
  if (encoded.length === 0) return;
  findings.hint(settingHints.encoded(url.variable, encoded));
}

/** Why the address does not fit the grammar. Repeats no part of the address: any part may belong to the password. */
function describeFault(rest: string): string {
  const credentials = rest.slice(0, Math.max(0, rest.lastIndexOf('@')));
  const strays = new Set([...(credentials.match(/[@/?#]/g) ?? []), ...(rest.match(/#/g) ?? [])]);
  return strays.size > 0 ? settingFaults.unencoded(strays) : settingFaults.unreadableAddress;
}
