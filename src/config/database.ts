import { settingFaults, settingHints } from '../report/setting-faults.ts';
import type { Fault, Findings } from './configuration-error.ts';
import { holdsAddress, hostsOf, type PostgresTarget, postgresTarget } from './postgresql.ts';
import { type Keywords, postgresqlKeywords } from './postgresql-url.ts';
import { type SqliteTarget, sqliteTarget } from './sqlite-url.ts';
import { type Setting, type Variables } from './variables.ts';

export type { PostgresTarget, SqliteTarget };

/** The configured database. */
export type DatabaseTarget = PostgresTarget | SqliteTarget;

/** The variables of a connection, as in the postgres image and the application, with the application's defaults. */
const connectionVariables = [
  { keyword: 'host', variable: 'POSTGRES_HOST', otherwise: 'db', secret: false },
  { keyword: 'port', variable: 'POSTGRES_PORT', otherwise: '5432', secret: false },
  { keyword: 'user', variable: 'POSTGRES_USER', otherwise: 'timetracker', secret: true },
  { keyword: 'password', variable: 'POSTGRES_PASSWORD', otherwise: 'timetracker', secret: true },
  { keyword: 'dbname', variable: 'POSTGRES_DB', otherwise: 'timetracker', secret: true },
] as const;

const postgresSchemes: ReadonlySet<string> = new Set(['postgresql', 'postgresql+psycopg2', 'postgres']);

/** libpq reads these itself, and so do the application's driver and pg_dump. */
const libpqVariables = [
  ['host', 'PGHOST'],
  ['port', 'PGPORT'],
  ['user', 'PGUSER'],
  ['password', 'PGPASSWORD'],
  ['dbname', 'PGDATABASE'],
  ['sslmode', 'PGSSLMODE'],
  ['sslrootcert', 'PGSSLROOTCERT'],
  ['sslcert', 'PGSSLCERT'],
  ['sslkey', 'PGSSLKEY'],
  ['options', 'PGOPTIONS'],
  ['target_session_attrs', 'PGTARGETSESSIONATTRS'],
] as const;

/** Reads the database from DATABASE_URL if it is set, else from POSTGRES_*. Undefined only if there is a fault. */
export function readDatabase(
  variables: Variables,
  workingDirectory: string,
  findings: Findings,
): DatabaseTarget | undefined {
  if (variables.has('DATABASE_URL')) {
    const url = variables.secret('DATABASE_URL');
    const database = url && databaseOfUrl(url, variables, workingDirectory, findings);
    if (database) hintAtContradictions(database, variables, findings);
    return database;
  }
  if (namesDatabase(variables)) {
    const keywords = withLibpqVariables(keywordsOfParts(variables), variables);
    hintAtWrappings(keywords, findings);
    return postgresTarget(keywords, 'POSTGRES_HOST', workingDirectory, findings);
  }
  return findings.fault(noDatabase.variable, noDatabase.problem);
}

/** The fault: no setting names a database. */
export const noDatabase: Fault = {
  variable: 'DATABASE_URL',
  problem: settingFaults.noDatabase,
};

/** Whether a setting names a database. */
export function namesDatabase(variables: Variables): boolean {
  const set = ({ variable, secret }: (typeof connectionVariables)[number]): boolean =>
    secret ? variables.has(variable) : variables.text(variable) !== undefined;
  return variables.has('DATABASE_URL') || connectionVariables.some(set);
}

function databaseOfUrl(
  url: Setting,
  variables: Variables,
  workingDirectory: string,
  findings: Findings,
): DatabaseTarget | undefined {
  const refuse = (problem: string) => findings.fault(url.variable, settingFaults.database(problem));

  if (/^["']/.test(url.value)) return refuse(settingFaults.quotedAddress);
  if (url.value !== url.value.trim()) return refuse(settingFaults.blankAroundAddress);
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url.value) ?? [];
  if (scheme === undefined || rest === undefined) return refuse(settingFaults.noAddress);

  const lowerCase = scheme.toLowerCase();
  if (scheme !== lowerCase) {
    findings.hint(settingHints.schemeInCapitals(url.variable, scheme));
  }
  if (lowerCase === 'sqlite') return sqliteTarget(url, rest, workingDirectory, findings);
  if (!postgresSchemes.has(lowerCase)) return refuse(settingFaults.unsupportedScheme(scheme));
  if (lowerCase === 'postgres') {
    findings.hint(settingHints.postgresScheme(url.variable));
  }
  const keywords = postgresqlKeywords(url, rest, findings);
  if (keywords === undefined) return undefined;
  const complete = withLibpqVariables(keywords, variables);
  return { ...postgresTarget(complete, url.variable, workingDirectory, findings), url: url.value };
}

function keywordsOfParts(variables: Variables): Keywords {
  return new Map(
    connectionVariables.map(({ keyword, variable, otherwise, secret }) => {
      const setting = secret ? variables.secret(variable) : variables.text(variable);
      return [keyword, setting ?? { variable, value: otherwise }];
    }),
  );
}

function withLibpqVariables(keywords: Keywords, variables: Variables): Keywords {
  for (const [keyword, variable] of libpqVariables) {
    const setting = variables.text(variable);
    if (setting !== undefined && !keywords.has(keyword)) keywords.set(keyword, setting);
  }
  return keywords;
}

/**
 * Advises on shell quotes and Windows line ends: they become part of a name or a password, and the server only refuses
 * the login.
 */
function hintAtWrappings(keywords: Keywords, findings: Findings): void {
  for (const { variable, value } of keywords.values()) {
    if (value === value.trim() && !/^(["']).*\1$/s.test(value)) continue;
    findings.hint(/[\r\n]$/.test(value) ? settingHints.lineEnd(variable) : settingHints.wrapped(variable));
  }
}

/**
 * Advises on contradictions: people change POSTGRES_* of the database and not DATABASE_URL of the application, or the
 * other way round.
 */
function hintAtContradictions(database: DatabaseTarget, variables: Variables, findings: Findings): void {
  if (database.kind === 'sqlite') {
    const given = connectionVariables.map(({ variable }) => variable).filter((variable) => variables.text(variable));
    if (given.length > 0) findings.hint(settingHints.ignoredForSqlite(given));
    return;
  }
  const hosts = hostsOf(database).map(({ host }) => host);
  const used = { POSTGRES_HOST: hosts.join(','), POSTGRES_USER: database.user, POSTGRES_DB: database.database };
  for (const [variable, value] of Object.entries(used)) {
    const other = variables.text(variable)?.value;
    if (other === undefined || other === value) continue;
    findings.hint(settingHints.contradiction(value, variable, holdsAddress(other) ? null : other));
  }
  const password = variables.text('POSTGRES_PASSWORD')?.value;
  if (password !== undefined && password !== database.password) {
    findings.hint(settingHints.otherPassword);
  }
}
