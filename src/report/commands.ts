import { basename, dirname, join } from 'node:path';
import type { DatabaseTarget, PostgresTarget, Settings, UploadRootName } from '../config/config.ts';
import { isPrintable, printable, printableSql } from '../platform/printable.ts';
import { shellWord, shellWords } from './shell-quoting.ts';

export interface CommandSettings extends Pick<
  Settings,
  'commandPrefix' | 'services' | 'database' | 'backupFolder' | 'uploadRoots'
> {
  /** The command line of this run, after `db-init`; default: the gate. */
  readonly words?: readonly string[];
}

/**
 * The commands that people are sent to, built from the configuration in force. Each is a line of its own, or several,
 * with two blanks before it, so that a banner does not wrap it and it can be copied. None holds a password. A command
 * that cannot be known here is empty; the sentence before it says in words what to do.
 */
export interface Commands {
  /** db-init with these arguments. */
  run(...words: readonly string[]): string;
  /** db-init with these arguments, and a variable set for this run. */
  runWith(variable: string, value: string, ...words: readonly string[]): string;
  /** The command of this run again, with more options; for the gate without options, `gate`. Empty if it uses a stream: its other end is not known. */
  again(...options: readonly string[]): string;
  readonly help: string;
  readonly status: string;
  readonly differences: string;
  readonly adopt: string;
  /** Starts the compose project; without compose, runs the gate. */
  readonly gate: string;
  readonly rehearse: string;
  readonly repair: string;
  readonly backup: string;
  /** Makes a backup in a folder of the machine that does not have to be there yet. */
  readonly backupElsewhere: string;
  readonly backups: string;
  /** FILE stands for a name that `backups` lists. */
  readonly restore: string;
  readonly reset: string;
  readonly putAside: string;
  readonly putAllAside: string;
  /** Stops the application; empty outside of compose. */
  readonly stop: string;
  /** Copies a folder out of the application's container; empty outside of compose. */
  saveFolder(path: string): string;
  /** Starts the application with a newer image or newer sources of db-init; empty outside of compose. */
  readonly update: string;
  /** Shows what compose makes of its files, the volumes among them; empty outside of compose. */
  readonly composeFile: string;
  /** Saves the database alone, with the engine's own means. */
  readonly dump: string;
  /** Opens the database, to put something right by hand. */
  readonly open: string;
  /**
   * A statement, or a comment, as a line of its own. SQLite has no escapes for what cannot be shown in a name: there the
   * line is a comment with the command that runs the statement from a shell.
   */
  statement(sql: string): string;
  /** Runs one statement in the PostgreSQL database. */
  sql(statement: string): string;
  /** A client program of PostgreSQL on the server in force. @param words its arguments after host, port and user */
  client(program: string, words: readonly string[], input?: 'piped'): string;
  /** As `client`, as a superuser: in compose that is the user of the server's image, elsewhere it is called postgres. */
  superuser(program: string, words: readonly string[]): string;
  /** Shows whether the server runs and what it says. */
  readonly serverState: string;
  readonly serverLog: string;
  /** Shows how full the disk is that the database lies on; empty where that is another machine's. */
  readonly disk: string;
  /** A script of the shell, run where db-init's files are. @param input the file of the machine that it reads */
  script(text: string, input?: string): string;
  /** As `script`, for one that writes or reads bytes: a terminal would change them. */
  pipe(text: string): string;
  /** Brings a folder of the machine to where the client programs run. @returns the command, empty if none is needed, and its place there */
  toServer(folder: string, place: string): { readonly copy: string; readonly place: string };
  /** Gives a path, and what is in it, to the user that db-init runs as. */
  give(path: string): string;
  /** As `give`, for a folder that does not have to be there yet. */
  giveFolder(path: string): string;
  readonly backupFolder: string;
  /** Puts FILE of the machine into the backup folder, which does not have to be there yet. */
  upload(file: string): string;
  /** The folder of the uploads that have this name in an archive; two names may mean one folder. */
  uploadFolder(name: UploadRootName): string;
  readonly engine: DatabaseTarget['kind'];
  /** How the database is called on its server; the path of a SQLite file. */
  readonly databaseName: string;
  readonly user: string;
  /** The variables that name the parts of the database's address. */
  readonly variables: AddressVariables;
  /**
   * Other ways to run lines of commands, for people who have no shell: in the console of the server's container, or with
   * a variable at the next start. Each is a comment line. Empty if there is no other way.
   */
  withoutShell(lines: readonly string[]): string;
  /** Whether docker compose runs db-init here. */
  readonly compose: boolean;
  /** How to read the commands, if they do not show it themselves; else null. */
  readonly note: string | null;
}

/** How messages name the settings of the address, which is in DATABASE_URL or in POSTGRES_*. */
export interface AddressVariables {
  /** The variable that names the database. */
  readonly whole: string;
  readonly hostAndPort: string;
  readonly tls: string;
  readonly userAndPassword: string;
  readonly databaseName: string;
}

const inAddress: AddressVariables = {
  whole: 'DATABASE_URL',
  hostAndPort: 'the host and port in DATABASE_URL',
  tls: 'sslmode and sslrootcert in DATABASE_URL',
  userAndPassword: 'the user and password in DATABASE_URL',
  databaseName: 'the name at the end of DATABASE_URL',
};

const inParts: AddressVariables = {
  whole: 'POSTGRES_DB',
  tls: 'PGSSLMODE and PGSSLROOTCERT',
  hostAndPort: 'POSTGRES_HOST and POSTGRES_PORT (db and 5432 if they are not set)',
  userAndPassword: 'POSTGRES_USER and POSTGRES_PASSWORD of db-init (each timetracker if it is not set)',
  databaseName: 'POSTGRES_DB of db-init (timetracker if it is not set)',
};

/** The parts of a command prefix of docker compose. */
interface Compose {
  /** `docker compose -f other.yml` */
  readonly base: string;
  /** db-init's own service. */
  readonly service: string;
  /** The service of the database, if a setting names it. */
  readonly server: string | null;
}

/** In place of a database, if no setting names one. */
const unknownTarget = { kind: 'postgresql', host: 'db', port: 5432, user: 'USER', database: 'DATABASE' } as const;

type Target = Extract<DatabaseTarget, { kind: 'sqlite' }> | Pick<PostgresTarget, keyof typeof unknownTarget>;

/** Builds the commands for the settings in force. */
export function commandsFor(settings: CommandSettings): Commands {
  const { commandPrefix: prefix, services, database, backupFolder, uploadRoots, words = [] } = settings;
  const compose = composeOf(prefix, services.database);
  const target: Target = database ?? unknownTarget;
  const run = (...given: readonly string[]): string => line([prefix, shellWords(given)]);
  const script = (text: string, input?: string): string => {
    const from = input === undefined ? '' : `< ${shellWord(input)}`;
    if (compose === null) return line([input === undefined ? text : `sh -c ${shellWord(text)}`, from]);
    const { base, service } = compose;
    const terminal = input === undefined ? '' : '-T';
    return line([base, 'run --rm', terminal, '--entrypoint sh', service, '-c', shellWord(text), from]);
  };
  const inCompose = (more: string): string => (compose === null ? '' : line([compose.base, more]));
  const gate = compose === null ? run('gate') : inCompose('up -d');
  return {
    run,
    again(...options) {
      const given = words.filter((word) => word !== '--json');
      if (given.includes('-')) return '';
      return given.length === 0 || given.join() === 'gate' ? gate : run(...given, ...options);
    },
    runWith: (variable, value, ...more) => withVariable(prefix, compose, `${variable}=${shellWord(value)}`, more),
    help: run('help'),
    status: run('status'),
    differences: run('status', '--json'),
    adopt: run('adopt'),
    gate,
    rehearse: run('plan', '--rehearse'),
    repair: run('repair'),
    backup: run('backup', 'create'),
    backupElsewhere: backupElsewhere(prefix, compose),
    backups: run('backup', 'list'),
    restore: run('restore', 'FILE'),
    reset: run('reset'),
    putAside: run('quarantine', 'create', '--yes'),
    putAllAside: run('quarantine', 'create', '--all', '--yes'),
    stop: inCompose(`stop ${shellWords(services.application)}`),
    saveFolder: (path) => inCompose(`cp ${shellWord(`${services.application[0]}:${path}`)} ./saved`),
    update: inCompose('up -d --build'),
    composeFile: inCompose('config'),
    ...serverCommands(compose, target, script),
    variables: database?.kind === 'postgresql' && database.url === undefined ? inParts : inAddress,
    script,
    pipe: (text) =>
      compose === null
        ? line([`sh -c ${shellWord(text)}`])
        : line([compose.base, 'run --rm -T --entrypoint sh', compose.service, '-c', shellWord(text)]),
    give: (path) => giveTo(compose, 'chown', ['-R', owner(), path]),
    giveFolder: (path) =>
      giveTo(compose, 'sh', ['-c', `mkdir -p ${shellWord(path)} && chown -R ${owner()} ${shellWord(path)}`]),
    backupFolder,
    upload: (file) => {
      const folder = shellWord(backupFolder);
      return script(`mkdir -p ${folder} && cat > ${shellWord(join(backupFolder, basename(file)))}`, file);
    },
    uploadFolder: (name) => (uploadRoots.find((root) => root.name === name) ?? uploadRoots[0])?.folder ?? '',
    withoutShell: (lines) =>
      [
        inConsole(lines, compose, serviceOf(compose, target)),
        byVariable(lines, prefix, target.kind === 'sqlite' ? target.file : target.database),
      ]
        .filter((each) => each !== '')
        .join('\n'),
    compose: compose !== null,
    note: noteOn(prefix, compose),
  };
}

type ServerCommands = Pick<
  Commands,
  | 'dump'
  | 'open'
  | 'client'
  | 'superuser'
  | 'statement'
  | 'sql'
  | 'serverState'
  | 'serverLog'
  | 'disk'
  | 'toServer'
  | 'engine'
  | 'databaseName'
  | 'user'
>;

/** The commands that run on the database, its server or its file. */
function serverCommands(compose: Compose | null, target: Target, script: Commands['script']): ServerCommands {
  const client: Commands['client'] = (program, words, input) =>
    line(clientWords(compose, target, program, words, input));
  const server = serviceOf(compose, target);
  const inCompose = (words: string): string => (compose === null ? '' : line([compose.base, words]));
  return {
    dump:
      target.kind === 'sqlite'
        ? script(copyOf(target.file))
        : `${client('pg_dump', [databaseWord(target)])} > backup.sql`,
    open: target.kind === 'sqlite' ? line(['sqlite3', shellWord(target.file)]) : client('psql', [databaseWord(target)]),
    client,
    superuser: (program, words) =>
      target.kind === 'sqlite' || server !== null
        ? client(program, words)
        : line(clientWords(compose, { ...target, user: 'postgres' }, program, words, undefined)),
    statement(sql) {
      if (sql.startsWith('--')) return printable(sql);
      if (target.kind === 'postgresql' || isPrintable(sql.replaceAll(/\s+/g, ' '))) return `${printableSql(sql)};`;
      return `-- in a shell: ${line(['sqlite3', shellWord(target.file), shellWord(sql)])}`;
    },
    sql: (statement) =>
      target.kind === 'sqlite' ? '' : client('psql', ['-c', printableSql(statement), databaseWord(target)]),
    serverState: server === null ? client('pg_isready', []) : inCompose(`ps --all ${server}`),
    serverLog: server === null ? '' : inCompose(`logs ${server}`),
    disk:
      target.kind === 'sqlite'
        ? script(`df -h ${shellWord(dirname(target.file))}`)
        : server === null
          ? ''
          : inCompose(`exec ${server} df -h`),
    toServer: (folder, place) =>
      compose === null || server === null
        ? { copy: '', place: folder }
        : { copy: line([compose.base, 'cp', shellWord(folder), `${server}:${place}`]), place },
    engine: target.kind,
    databaseName: target.kind === 'sqlite' ? target.file : target.database,
    user: target.kind === 'sqlite' ? '' : target.user,
  };
}

/** Parts of one command, those that are not empty, as a line of a banner. */
function line(parts: readonly string[]): string {
  return `  ${parts.filter((part) => part !== '').join(' ')}`;
}

/** What a prefix like `docker compose -f other.yml run --rm db-init` says of compose; null for any other. */
function composeOf(prefix: string, server: string | null): Compose | null {
  const [, base, service] = /^(.*\b(?:docker|podman)[- ]compose\b.*?)\s+run\s(?:.*\s)?(\S+)$/s.exec(prefix) ?? [];
  return base === undefined || service === undefined ? null : { base, service, server };
}

/** The service that the database runs in: unless a setting names it, a host without dots is the name of one. */
function serviceOf(compose: Compose | null, target: Target): string | null {
  if (compose === null || target.kind === 'sqlite') return null;
  if (compose.server !== null) return compose.server;
  return /^[a-z0-9][\w-]*$/i.test(target.host) && target.host !== 'localhost' ? target.host : null;
}

function clientWords(
  compose: Compose | null,
  target: Target,
  program: string,
  words: readonly string[],
  input: 'piped' | undefined,
): readonly string[] {
  if (target.kind === 'sqlite') return [program, shellWords(words)];
  const { host, port, user } = target;
  const service = serviceOf(compose, target);
  if (compose !== null && service !== null) {
    const terminal = input === 'piped' ? ['-T'] : [];
    const other = port === 5432 ? [] : ['-p', String(port)];
    return [compose.base, 'exec', ...terminal, service, program, shellWords([...other, '-U', user, ...words])];
  }
  return [program, shellWords(['-h', host, '-p', String(port), '-U', user, ...words])];
}

/** libpq takes a name with an equals sign, or one that looks like an address, for a connection string. */
export function databaseWord({ database }: Pick<PostgresTarget, 'database'>): string {
  const plain = !/=|^(?:postgres(?:ql)?:\/\/|-)/.test(database);
  return plain ? database : `dbname='${database.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}

/** Commands that only show something; they come to nothing where another one does the work. */
const looking = /^(?:status|plan|verify)\b|^(?:backup|quarantine) list\b|--dry-run\b/;

/** The commands of db-init that TT_RUN_ONCE may name. */
const runnable = /^(?:status|plan|verify|backup|restore|quarantine|adopt|repair|reset)\b/;

/** A surface that starts containers opens a console in one, too. What a file of the machine takes part in is not for it. */
function inConsole(lines: readonly string[], compose: Compose | null, server: string | null): string {
  if (compose === null || server === null) return '';
  const start = `  ${compose.base} exec ${server} `;
  const isForConsole = lines.some((each) => each.startsWith(start) && !/\s[<>|]\s/.test(each));
  return isForConsole ? `  # or, in the console of the container ${server}, what stands after "exec ${server}"` : '';
}

function byVariable(lines: readonly string[], prefix: string, database: string): string {
  const own = lines
    .filter((each) => each.startsWith(`  ${prefix} `))
    .map((each) => each.slice(prefix.length + 3))
    // what a variable cannot hold as it is written there
    .filter((words) => runnable.test(words) && !/["$`\\]/.test(words));
  const working = own.filter((words) => !looking.test(words));
  const [first, ...more] = working.length > 0 ? working : own.slice(0, 1);
  if (first === undefined) return '';
  if (first === 'restore FILE' && more.length === 0) {
    const list = own.includes('backup list') ? ' (TT_RUN_ONCE="backup list" shows them)' : '';
    return `  # or set TT_RESTORE_FROM=FILE and start again${list}`;
  }
  const once = [first, ...more].map((words) => withConsent(words, database)).join(' && ');
  return `  # or set TT_RUN_ONCE="${once}" and start again`;
}

/** Adds the option for consent, because nobody can be asked at a start. */
function withConsent(words: string, database: string): string {
  if (looking.test(words) || words.includes(' --yes')) return words;
  if (words.startsWith('reset')) return `${words} --yes-delete-all-data ${shellWord(database)}`;
  return /^(?:restore|quarantine (?:create|purge))\b/.test(words) ? `${words} --yes` : words;
}

function withVariable(prefix: string, compose: Compose | null, assignment: string, words: readonly string[]): string {
  if (compose === null) return line([assignment, prefix, shellWords(words)]);
  return line([compose.base, 'run --rm --env', assignment, compose.service, shellWords(words)]);
}

/** Everybody may write to the folder, because the user id of db-init on the machine is not known here. */
function backupElsewhere(prefix: string, compose: Compose | null): string {
  const folder = 'mkdir -p backups && chmod 777 backups';
  if (compose === null) return line([`${folder} && ${prefix} backup create --output "$PWD/backups"`]);
  const { base, service } = compose;
  return line([folder, '&&', base, 'run --rm -v "$PWD/backups:/backups"', service, 'backup create --output /backups']);
}

/** The file and its side files, into a folder that is made for them: without its log a copy lacks what was written last. */
function copyOf(file: string): string {
  const files = shellWords([file, `${file}-wal`, `${file}-shm`, `${file}-journal`]);
  const folder = shellWord(`${file}.copy`);
  return `mkdir ${folder} && for f in ${files}; do if [ -e "$f" ]; then cp -p "$f" ${folder}; fi; done`;
}

/** The user that db-init runs as, as `uid:gid`. */
const owner = (): string => `${process.getuid?.() ?? 1000}:${process.getgid?.() ?? 1000}`;

/** The compose files drop all capabilities of db-init; without them root can neither read a folder of others nor change its owner. */
function giveTo(compose: Compose | null, program: 'chown' | 'sh', words: readonly string[]): string {
  if (compose === null) return line(['sudo', program, shellWords(words)]);
  const { base, service } = compose;
  const rights = '--user 0 --cap-add CHOWN --cap-add DAC_OVERRIDE';
  return line([base, 'run --rm', rights, `--entrypoint ${program}`, service, shellWords(words)]);
}

/** Inside a container that compose did not start, the paths are the container's, and the programs may be elsewhere. */
function noteOn(prefix: string, compose: Compose | null): string | null {
  if (compose !== null) return null;
  if (prefix === 'db-init') {
    return '`db-init` stands for the way in which this container is started: TT_COMMAND_PREFIX says it. Paths are those inside of it.';
  }
  return /\b(?:docker|podman|nerdctl|kubectl)\b/.test(prefix) ? 'Paths are those inside the container.' : null;
}

export const folderOf = (file: string): string => dirname(file);

/** The commands of an unknown installation: for messages whose commands are not shown. */
export const commandsAnywhere: Commands = commandsFor({
  commandPrefix: 'db-init',
  services: { application: ['app'], database: null },
  database: null,
  backupFolder: '',
  uploadRoots: [],
});
