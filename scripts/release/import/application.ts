import { execa, ExecaError } from 'execa';

/** A revision as the application's own history tells it. */
export interface ApplicationRevision {
  readonly id: string;
  readonly parents: readonly string[];
  /** What the application calls it, in a few words. */
  readonly summary: string;
}

/** What the application answered to `upgrade`. */
export type Upgrade = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly reason: string };

/** The application's own Alembic. It is asked for nothing else. */
export interface Application {
  heads(url: string): Promise<readonly string[]>;
  /** All revisions, in the order of application. */
  history(url: string): Promise<readonly ApplicationRevision[]>;
  upgrade(url: string, revision: string): Promise<Upgrade>;
}

/**
 * Asks the application by a command of the shell.
 * @param command how the maintainer runs Alembic; the database is in DATABASE_URL
 * @param folder where the SQLite files lie, as IMPORT_FOLDER: a container needs it as a volume
 */
export function askApplication(command: string, folder: string, signal: AbortSignal): Application {
  const ask = async (url: string, ...words: readonly string[]): Promise<string> => {
    const env = { DATABASE_URL: url, IMPORT_FOLDER: folder };
    const { stdout } = await execa('sh', ['-c', `${command} "$@"`, 'sh', ...words], {
      env,
      stdin: 'ignore',
      cancelSignal: signal,
      // what Alembic says of an error comes last
      maxBuffer: 10_000_000,
    });
    return stdout;
  };
  return {
    heads: async (url) => readHeads(await ask(url, 'heads')),
    history: async (url) => readHistory(await ask(url, 'history')),
    async upgrade(url, revision) {
      try {
        await ask(url, 'upgrade', revision);
        return { kind: 'done' };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ExecaError) || error.exitCode === undefined) throw error;
        return { kind: 'failed', reason: reasonIn(String(error.stderr)) };
      }
    },
  };
}

/** Reads what `alembic heads` prints: `012_add_colours (head)`. */
export function readHeads(output: string): readonly string[] {
  return output.split('\n').flatMap((line) => /^(\S+)(?: \([^)]*\))* \((?:effective )?head\)/.exec(line)?.[1] ?? []);
}

/**
 * Reads what `alembic history` prints, newest first: `a, b -> c (head) (mergepoint), What it does`. What a revision
 * depends on beside its parents stands behind them in parentheses, and counts as a parent: it has to be there first.
 * Other lines are what the application says while it starts.
 */
export function readHistory(output: string): readonly ApplicationRevision[] {
  return output
    .split('\n')
    .flatMap((line): ApplicationRevision[] => {
      const [, before = '', id = '', summary = ''] = /^(\S.*?) -> (\S+?)(?: \([^)]*\))*, ?(.*)$/.exec(line) ?? [];
      if (id === '') return [];
      const parents =
        before === '<base>'
          ? []
          : before
              .replace(/[()]/g, ' ')
              .split(/[\s,]+/)
              .filter((word) => word !== '' && word !== '<base>');
      return [{ id, parents, summary: summary.trim() }];
    })
    .toReversed();
}

/** The last line that an error left: Python puts what happened at the end, SQLAlchemy a link and the statement behind it. */
function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const told =
    lines.findLast((line) => /^[\w.]*(?:Error|Exception|Interface|Warning)\w*\b.*:/.test(line)) ??
    lines.findLast((line) => line !== '');
  return told ?? 'it said nothing';
}
