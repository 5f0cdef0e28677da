import { execa, ExecaError } from 'execa';

/** A revision in the application's own history. */
export interface ApplicationRevision {
  readonly id: string;
  readonly parents: readonly string[];
  /** The application's title for it. */
  readonly summary: string;
}

/** The result of the application's `upgrade`. */
export type Upgrade = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly reason: string };

/** The application's own Alembic. */
export interface Application {
  heads(url: string): Promise<readonly string[]>;
  /** All revisions, in the order of application. */
  history(url: string): Promise<readonly ApplicationRevision[]>;
  upgrade(url: string, revision: string): Promise<Upgrade>;
}

/**
 * Runs the application's Alembic with a shell command.
 * @param command the command of the maintainer; the database is in DATABASE_URL
 * @param folder the folder of the SQLite files, passed as IMPORT_FOLDER, because a container needs it as a volume
 */
export function askApplication(command: string, folder: string, signal: AbortSignal): Application {
  const ask = async (url: string, ...words: readonly string[]): Promise<string> => {
    const env = { DATABASE_URL: url, IMPORT_FOLDER: folder };
    const { stdout } = await execa('sh', ['-c', `${command} "$@"`, 'sh', ...words], {
      env,
      stdin: 'ignore',
      cancelSignal: signal,
      // Alembic prints its error at the end
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

/** Parses the output of `alembic heads`: `012_add_colours (head)`. */
export function readHeads(output: string): readonly string[] {
  return output.split('\n').flatMap((line) => /^(\S+)(?: \([^)]*\))* \((?:effective )?head\)/.exec(line)?.[1] ?? []);
}

/**
 * Parses the output of `alembic history`, newest first: `a, b -> c (head) (mergepoint), What it does`. Dependencies besides
 * the parents come after them in parentheses, and count as parents, because they must be applied first. All other lines
 * are messages of the application's start.
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

/** The message of an error: Python prints it at the end, and SQLAlchemy adds a link and the statement after it. */
function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const told =
    lines.findLast((line) => /^[\w.]*(?:Error|Exception|Interface|Warning)\w*\b.*:/.test(line)) ??
    lines.findLast((line) => line !== '');
  return told ?? 'it said nothing';
}
