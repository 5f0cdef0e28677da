import { resolve } from 'node:path';

import { settingFaults, settingHints } from '../report/setting-faults.ts';
import type { Findings } from './configuration-error.ts';
import { placeholderPattern, type Setting } from './variables.ts';

/** An SQLite database. */
export interface SqliteTarget {
  readonly kind: 'sqlite';
  /** Absolute path. */
  readonly file: string;
}

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
  const refuse = (problem: string) => findings.fault(url.variable, settingFaults.sqlite(problem));

  const [, slash, path = '', parameters] = /^(\/?)([^?]*)(\?.*)?$/s.exec(rest) ?? [];
  if (slash === '' && path !== '') return refuse(settingFaults.twoSlashes);
  if (path === '' || path === ':memory:') return refuse(settingFaults.inMemory);
  if (path.startsWith('file:')) return refuse(settingFaults.fileAddress);
  if (process.platform !== 'win32' && /^\/?(?:[a-z]:[\\/]|\\\\)/i.test(path)) return refuse(settingFaults.windowsPath);
  if (/^\/?~/.test(path)) return refuse(settingFaults.homeFolder);
  const [placeholder] = placeholderPattern.exec(path) ?? [];
  if (placeholder !== undefined) return refuse(settingFaults.placeholder(placeholder));
  if (path.endsWith('/')) return refuse(settingFaults.folderInsteadOfFile);

  if (parameters !== undefined) findings.hint(settingHints.sqliteParameters(url.variable));
  return { kind: 'sqlite', file: resolve(workingDirectory, path) };
}
