import { resolve } from 'node:path';

import type { Findings } from './configuration-error.ts';
import type { Setting } from './variables.ts';

/** An SQLite database. */
export interface SqliteTarget {
  readonly kind: 'sqlite';
  /** Absolute path. */
  readonly file: string;
}

const forms = 'sqlite:///relative/path.db or sqlite:////absolute/path.db';

/**
 * Reads what follows `sqlite://`. As in SQLAlchemy, which the application uses, the third slash ends an empty
 * host name, the path is taken literally (no percent-decoding), and `?` begins the parameters.
 */
export function sqliteTarget(
  url: Setting,
  rest: string,
  workingDirectory: string,
  findings: Findings,
): SqliteTarget | undefined {
  const refuse = (problem: string) => findings.fault(url.variable, `${problem}; allowed: ${forms}`);

  const [, slash, path = '', parameters] = /^(\/?)([^?]*)(\?.*)?$/s.exec(rest) ?? [];
  if (slash === '' && path !== '') return refuse('has two slashes before the file, where SQLite needs three');
  if (path === '' || path === ':memory:') return refuse('names a database in memory, which ends with this run');
  if (path.startsWith('file:')) return refuse('names the file by a file: address');
  if (path.endsWith('/')) return refuse('names a folder, not a file');

  if (parameters !== undefined) findings.hint(`The parameters of the SQLite address in ${url.variable} are ignored.`);
  return { kind: 'sqlite', file: resolve(workingDirectory, path) };
}
