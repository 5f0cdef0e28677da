/** A value for a message: in quotes, on one line, and shortened. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

const expected = (found: string, allowed: string): string => `is ${quote(found)}; allowed: ${allowed}`;

const noShell =
  'contains a character that only a shell understands. Put a word with such characters in single quotes; && separates commands';

/**
 * What is wrong with a setting: a clause that follows the name of its variable. No clause contains a secret, so none
 * repeats what may be part of a password.
 */
export const settingFaults = {
  expected,
  bothSet: (variable: string): string => `is set although ${variable} is set too: only one of them is allowed`,
  wholeSeconds: (found: string, most: number): string => expected(found, `whole seconds from 0 to ${most}`),
  wholeNumber: (found: string): string => expected(found, 'a whole number from 1 to 999999999'),
  unreadableFile: (file: string, reason: string): string => `names a file that cannot be read: ${file} (${reason})`,
  emptyFile: (file: string): string => `names an empty file: ${file}`,
  binaryFile: (file: string): string => `names a file that is not a text: ${file}`,
  /** In place of the path of a file, if the variable may hold the secret itself. */
  hiddenPath: '(not shown: it does not begin with / or ./)',
  longFile: (most: number): string => `it has more than ${most} bytes`,

  // TT_RUN_ONCE
  openQuote: (sign: string, character: number): string => `has no second ${sign} to the one at character ${character}`,
  shellSign: noShell,
  noCommandBefore: 'has an && without a command before it',
  noCommandAtEnd: 'ends without a command',

  // addresses of notifications
  noWebAddress: 'contains something that is not an address with http:// or https:// (not shown)',
  severalAddresses: 'contains several addresses: the first one is used',

  // DATABASE_URL
  noDatabase:
    'is not set, nor is POSTGRES_HOST, _PORT, _USER, _PASSWORD or _DB; set DATABASE_URL ' +
    '(postgresql://user:password@host:5432/database or sqlite:////absolute/path.db), or POSTGRES_*',
  database: (problem: string): string => `${problem}; allowed: postgresql://…, postgresql+psycopg2://…, sqlite:///…`,
  quotedAddress: 'begins with a quotation mark, which counts as part of the value: write it without quotes',
  blankAroundAddress: 'begins or ends with a blank or a line break (a file with the line ends of Windows adds one)',
  noAddress: 'is not the address of a database (not shown)',
  unsupportedScheme: (scheme: string): string => `begins with ${quote(scheme)}, which is not supported`,

  /** @param found null if it is, or may be, the password */
  placeholder: (found: string | null): string =>
    `contains ${found ?? 'the name of a variable in ${…}'}, and nothing has replaced that by a value: write the value itself`,

  // SQLite
  sqlite: (problem: string): string => `${problem}; allowed: sqlite:///relative/path.db or sqlite:////absolute/path.db`,
  twoSlashes: 'has two slashes before the file, where SQLite needs three',
  inMemory: 'names a database in memory, which ends with this run',
  windowsPath: 'names a path of Windows; db-init runs on Linux, in a container mostly, and needs the path there',
  homeFolder: 'begins with ~, which only a shell replaces by a folder',
  fileAddress: 'names the file by a file: address',
  folderInsteadOfFile: 'names a folder, not a file',

  // PostgreSQL
  unnamedParameter: "contains a parameter after '?' that is not written name=value",
  zeroByte: (keyword: string): string => `contains %00 in its ${keyword}, which PostgreSQL does not allow`,
  strayPercent: (keyword: string): string =>
    `contains a '%' in its ${keyword} that does not begin percent-encoded UTF-8; write %25 for a '%'`,
  unencoded(signs: Iterable<string>): string {
    const list = [...signs].map((sign) => `'${sign}' (write ${encodeURIComponent(sign)})`).join(', ');
    return `contains an unencoded ${list}, probably in the password; a password of letters and digits needs no encoding`;
  },
  unreadableAddress:
    'cannot be read as postgresql://user:password@host:port/database; ' +
    "write an IPv6 address in brackets, and %2F for a '/' in the name of the database",
  missing: (what: string): string => `names no ${what}; allowed: postgresql://user:password@host/database`,
  addressAsName: 'contains an address (not shown) instead of a name; set the address in DATABASE_URL',
  ports(hosts: number, ports: number): string {
    const found = hosts > 1 ? `${hosts} hosts and ${ports} ports` : `${ports} ports for one host`;
    return `has ${found}; allowed: one port, or one for each host`;
  },
  emptyHost: 'has an empty host in its list',
  moreThanHost: 'contains more than a host (not shown); set a whole address in DATABASE_URL',
  blankInHost: 'has a blank or a line break in its host',
  portInHost: 'contains more than a host; set the port in POSTGRES_PORT, or after the host in DATABASE_URL',
  readOnlyServer: (value: string, allowed: string): string =>
    `asks for a server that accepts no writes (target_session_attrs=${value}), but db-init and the application have ` +
    `to write; allowed: ${allowed}`,
  sessionAttributes: (value: string, allowed: string): string =>
    `asks for a target_session_attrs that ${expected(value, allowed)}`,
  /** @param found null if it may be a secret */
  numberInRange: (what: string, found: string | null, least: number, most: number): string =>
    `has the ${what} ${found === null ? '(not shown)' : quote(found)}; allowed: a whole number from ${least} to ${most}`,
  sslMode: (found: string, allowed: string): string => `asks for an sslmode that ${expected(found, allowed)}`,
  sslModeWithSystem: (mode: string): string => `asks for sslmode ${mode}; sslrootcert=system allows only verify-full`,
  unreadableCertificate: (keyword: string, path: string, reason: string): string =>
    `has an ${keyword} that cannot be read: ${path} (${reason})`,
  certificateAlone: 'has only one of sslcert and sslkey; allowed: both or neither',
} as const;

/** Advice about settings that are valid, but that the application reads differently or that are probably a mistake. */
export const settingHints = {
  cleanupWord: 'The application itself accepts only 1, true or yes for TT_SKIP_DB_CLEANUP: write true.',
  schemeInCapitals: (variable: string, scheme: string): string =>
    `${variable} begins with ${scheme}://, but the application requires ${scheme.toLowerCase()}://.`,
  postgresScheme: (variable: string): string =>
    `${variable} begins with postgres://, which the application refuses: write postgresql://.`,
  wrapped: (variable: string): string =>
    `The value of ${variable} is in quotes, or begins or ends with a blank. They count as part of the value.`,
  lineEnd: (variable: string): string =>
    `The value of ${variable} ends with a line break, which counts as part of the value. Save the file that it comes from ` +
    'with the line ends of Linux (LF), not of Windows (CRLF).',
  misspelled: (variable: string, meant: string): string =>
    `${variable} is not a setting of db-init, and has no effect. Did you mean ${meant}?`,
  ignoredForSqlite: (variables: readonly string[]): string =>
    `DATABASE_URL names a SQLite file, so these variables are ignored: ${variables.join(', ')}.`,
  /** @param other null if it may be a secret */
  contradiction: (used: string, variable: string, other: string | null): string =>
    `DATABASE_URL says ${quote(used)} and is used, but ${variable} says ${other === null ? 'an address (not shown)' : quote(other)}.`,
  otherPassword: 'The password in DATABASE_URL is used, but POSTGRES_PASSWORD is different.',
  hostsBeforeName: (variable: string): string =>
    `${variable} lists hosts with ports before the name of the database, which the application cannot read: ` +
    'write ?host=a:5432&host=b:5432 after it.',
  ignoredParameters: (variable: string, names: readonly string[]): string =>
    `db-init ignores these parameters of ${variable}: ${names.join(', ')}.`,
  encoded: (variable: string, parts: readonly string[]): string =>
    `${variable} is percent-encoded in its ${parts.join(' and its ')}. The application does not decode that ` +
    'everywhere, so its container would not reach the database: use letters and digits only ' +
    '(?host=/folder for a socket).',
  sqliteParameters: (variable: string): string => `The parameters of the SQLite address in ${variable} are ignored.`,
  sessionAttributes(found: 'any' | 'prefer-standby'): string {
    const behaviour = found === 'any' ? 'connects to the first host that answers, even a standby' : 'prefers a standby';
    return (
      `db-init uses the host that accepts writes, but with target_session_attrs=${found} the application ${behaviour}: ` +
      'write target_session_attrs=read-write.'
    );
  },
};
