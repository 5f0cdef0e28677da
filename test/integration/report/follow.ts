import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runInProcess } from '../../support/run-in-process.ts';
import { shellWord, shellWords } from '../../../src/report/shell-quoting.ts';
import { postgresServer } from '../../support/postgres-server.ts';
import type { Installation } from '../restore/restores.ts';

/** How db-init is called: as a program, or by a docker compose that acts on this machine. */
export type CommandStyle = 'program' | 'docker compose';

/** Replaces db-init: passes its arguments and its environment to the test, which runs it and returns the result. */
const program = (calls: string): string => `#!/bin/sh
set -eu
call=$(mktemp -d ${calls}/XXXXXX)
printf '%s\\0' "$@" > "$call/arguments"
env -0 > "$call/environment"
mkfifo "$call/ended"
echo "$call" >&3
read -r code < "$call/ended"
cat "$call/stdout"
cat "$call/stderr" >&2
exit "$code"
`;

/**
 * Replaces Docker: runs the commands of a container on this machine. It has a folder for the mounted one, and knows only the
 * services of this stack.
 */
const docker = (dbInit: string): string => `#!/bin/sh
[ "$1" = compose ] || exit 0
shift
known() {
  case " $STACK " in *" $1 "*) ;; *) echo "no such service: $1" >&2; exit 1 ;; esac
}
verb=$1
shift
case $verb in
  up) exec ${dbInit} gate ;;
  exec) [ "$1" != -T ] || shift; known "$1"; shift; exec "$@" ;;
  stop | logs) for name; do known "$name"; done; exit 0 ;;
  ps) shift; known "$1"; exit 0 ;;
  cp) known "\${1%%:*}"; exit 0 ;;
  run) ;;
  *) exit 0 ;;
esac
program=${dbInit}
while :; do
  case $1 in
    --entrypoint) program=$2; shift ;;
    --env) export "$2"; shift ;;
    -v) mounted=\${2%%:*}; shift ;;
    --user | --cap-add) shift ;;
    --rm | -T) ;;
    *) known "$1"; shift; break ;;
  esac
  shift
done
[ -z "\${mounted:-}" ] || { shift $#; set -- backup create --output "$mounted"; }
exec "$program" "$@"
`;

/** An option of a banner: its sentence and its commands. */
export interface PrintedOption {
  readonly words: string;
  readonly commands: readonly string[];
}

/** The options of the banner in a text. */
export function optionsOf(text: string): readonly PrintedOption[] {
  const [, options = ''] = text.split('RECOVERY OPTIONS:\n');
  const [body = ''] = options.split(/^(?:={20,}|)$/m);
  return body
    .split(/^(?=\d+\. )/m)
    .filter((option) => option !== '')
    .map((option) => {
      const lines = option.trimEnd().split('\n');
      return {
        words: lines
          .filter((line) => !line.startsWith('     '))
          .map((line) => line.replace(/^\d+\. /, '').trim())
          .join(' '),
        commands: lines.filter((line) => line.startsWith('     ')).map((line) => line.trim()),
      };
    });
}

interface Said {
  readonly exitCode: number;
  /** The output on both streams. */
  readonly all: string;
}

/** A machine on which the commands of banners are run literally. */
export interface Operator {
  /** Runs db-init as the banner calls it. */
  readonly dbInit: (...words: readonly string[]) => Promise<Said>;
  /** Runs commands literally, one after the other; FILE is the oldest backup, and questions are answered with yes. */
  readonly follow: (commands: readonly string[]) => Promise<Said>;
  /** Sets a variable of db-init until the next option; undefined removes it. */
  readonly set: (name: string, value: string | undefined) => void;
  /** Changes how db-init runs: as another user, or with other tools. null: within this process. */
  readonly runBy: (runner: Runner | null) => void;
  /** Resets all variables. */
  readonly reset: () => void;
  /** The working directory of the reader. */
  readonly folder: string;
}

type Environment = Readonly<Record<string, string>>;

/** Runs db-init. */
export type Runner = (
  words: readonly string[],
  env: Environment,
) => Promise<{
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly all: string;
}>;

export async function openOperator(
  installation: Installation,
  style: CommandStyle,
  { env: more = {}, runner: usual = null }: { readonly env?: Environment; readonly runner?: Runner | null } = {},
): Promise<Operator> {
  const [bin, folder, calls] = [
    join(installation.root, 'bin'),
    join(installation.root, 'reader'),
    join(installation.root, 'calls'),
  ];
  for (const made of [bin, folder, calls]) await mkdir(made, { recursive: true });
  const dbInit = join(bin, 'db-init');
  const executable = { mode: 0o755 };
  await writeFile(dbInit, program(calls), executable);
  await writeFile(join(bin, 'docker'), docker(dbInit), executable);
  await writeFile(join(bin, 'sudo'), '#!/bin/sh\nexec "$@"\n', executable);
  // some machines lack them
  await writeFile(
    join(bin, 'unzip'),
    '#!/bin/sh\n[ "$1 $3" = "-q -d" ] && exec python3 -m zipfile -e "$2" "$4"\n',
    executable,
  );
  await writeFile(
    join(bin, 'zip'),
    '#!/bin/sh\n[ "$1 $3" = "-qr ." ] && exec python3 -m zipfile -c "$2" *\n',
    executable,
  );
  const server = postgresServer();
  const tools = server.kind === 'found' && server.binDirectory !== null ? `${server.binDirectory}:` : '';
  const first: Environment = {
    PATH: `${bin}:${tools}${process.env['PATH']}`,
    HOME: process.env['HOME'] ?? '/',
    PGPASSWORD:
      installation.engine === 'postgresql' ? decodeURIComponent(new URL(installation.database.url).password) : '',
    ...installation.env,
    TT_FORCE_RESET_DB: 'true',
    TT_COMMAND_PREFIX: style === 'program' ? dbInit : 'docker compose run --rm db-init',
    // other names than the defaults of db-init
    TT_APP_SERVICE: 'web worker',
    STACK: 'web worker db-init',
    ...more,
  };
  // as a superuser in the database, or the owner of the file
  const client =
    installation.engine === 'sqlite'
      ? shellWords(['sqlite3', installation.database.name])
      : shellWords(['psql', '-v', 'ON_ERROR_STOP=1', '-d', installation.database.url, '-c']);
  let env: Record<string, string> = { ...first };
  let runner = usual;
  // a container does not see the folder of the reader
  const started: Runner = (words, variables) =>
    (runner ?? ((...run) => runInProcess(...run, installation.root)))(words, variables);
  return {
    folder,
    async dbInit(...words) {
      const { exitCode = -1, all } = await started(words, env);
      return { exitCode, all };
    },
    runBy: (other) => void (runner = other),
    set(name, value) {
      const { [name]: _, ...others } = env;
      env = value === undefined ? others : { ...others, [name]: value };
    },
    reset() {
      env = { ...first };
      runner = usual;
    },
    async follow(commands) {
      const archives = (await readdir(installation.backups)).filter((name) => name.endsWith('.zip')).toSorted();
      const script = commands
        .filter((command) => !command.startsWith('--'))
        .map((command) => command.replace(/ restore FILE$/, ` restore ${archives.at(0)}`))
        .map((command) => (isStatement(command) ? `${client} ${shellWord(command)}` : command));
      return inShell(script.join('\n'), { env, cwd: folder, started });
    },
  };
}

/** A line for the database, not for a shell. */
const isStatement = (command: string): boolean => /^(?:[A-Z]{3,} .*;$)/.test(command);

/** A shell whose calls of db-init are run within this process. */
async function inShell(
  script: string,
  { env, cwd, started }: { readonly env: Environment; readonly cwd: string; readonly started: Runner },
): Promise<Said> {
  const shell = spawn('sh', ['-c', script], { env, cwd, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  let all = '';
  for (const stream of [shell.stdout, shell.stderr]) stream?.on('data', (chunk: Buffer) => (all += chunk.toString()));
  const [, , , calls] = shell.stdio;
  if (calls === null || calls === undefined || !('read' in calls)) throw new Error('a pipe is missing');
  const failures: unknown[] = [];
  createInterface({ input: calls }).on('line', (call) => {
    serve(call, started).catch((error: unknown) => {
      failures.push(error);
      shell.kill('SIGKILL');
    });
  });
  const [code]: unknown[] = await once(shell, 'close');
  if (failures.length > 0) throw failures[0];
  return { exitCode: typeof code === 'number' ? code : -1, all };
}

async function serve(call: string, started: Runner): Promise<void> {
  const [words, variables] = await Promise.all(['arguments', 'environment'].map((name) => listIn(join(call, name))));
  const environment = Object.fromEntries(
    (variables ?? []).map((entry) => {
      const end = entry.indexOf('=');
      return [entry.slice(0, end), entry.slice(end + 1)];
    }),
  );
  const { exitCode = -1, stdout, stderr } = await started(answered(words ?? []), environment);
  await writeFile(join(call, 'stdout'), stdout);
  await writeFile(join(call, 'stderr'), stderr);
  await writeFile(join(call, 'ended'), `${exitCode}\n`);
}

const listIn = async (file: string): Promise<readonly string[]> => {
  const text = await readFile(file, 'utf8');
  return text === '\0' ? [] : text.split('\0').slice(0, -1);
};

/** The person at the terminal answers yes to the question of a restore. */
function answered(words: readonly string[]): readonly string[] {
  const asks = words[0] === 'restore' && !words.includes('--yes') && !words.includes('--dry-run');
  return asks ? [...words, '--yes'] : words;
}
