import { quoteName } from '../platform/sql-quoting.ts';
import { basename, join } from 'node:path';
import type { UploadRootName } from '../config/config.ts';
import type { Contents, FolderPacking, OtherFile, Wrapping } from '../errors/obstacles.ts';
import { capitalize } from './next-steps.ts';
import type { Notice } from './banner.ts';
import { type Commands, databaseWord } from './commands.ts';
import { shellWord } from './shell-quoting.ts';

/** A file that is not an archive: what it is, and complete commands that restore its content. */
export function describeOtherFile(archive: string, file: OtherFile, standing: Standing): Notice {
  const { safe, another, commands } = standing;
  const { what, options } = adviceOnFile({ archive, another, commands }, file);
  return {
    title: `This is no archive of TimeTracker: ${archive}`,
    happened: [
      `${capitalize(what)}. db-init restores the ZIP archives that TimeTracker and db-init make. They contain the uploads too.`,
    ],
    safe,
    options,
  };
}

/** What every notice about an archive says. */
interface Standing {
  readonly safe: string;
  readonly another: string;
  readonly commands: Commands;
}

/** What was given, and how commands are called here. */
interface Given {
  readonly archive: string;
  readonly commands: Commands;
  /** To take another archive. */
  readonly another: string;
}

interface FileAdvice {
  /** `it is a plain SQL dump` */
  readonly what: string;
  readonly options: readonly string[];
}

function adviceOnFile(given: Given, file: OtherFile): FileAdvice {
  const { another, commands } = given;
  const packed = 'packed' in file && file.packed ? ', packed with gzip' : '';
  switch (file.kind) {
    case 'sql': {
      const intoPostgres = file.apart ? throughServerOfItsOwn : intoNewDatabase;
      const option = file.dialect === 'sqlite' ? intoFile(given, file.packed) : intoPostgres(given, psql, file.packed);
      return { what: `it is a plain SQL dump${packed}`, options: [option, another] };
    }
    case 'dump':
      return {
        what: `it is a dump of pg_dump, in a format that pg_restore reads${packed}`,
        options: [intoNewDatabase(given, pgRestore, file.packed), another],
      };
    case 'sqlite':
      return { what: 'it is an SQLite database file', options: [another] };
    case 'export':
      return { what: exports[file.format], options: [exportsOnly(commands), another] };
    case 'folder':
      return adviceOnFolder(given, file);
  }
}

/** A file in a packing that db-init does not read: how to unpack it, and to restore the result. */
export function describeWrapped(archive: string, by: Wrapping, commands: Commands): FileAdvice {
  const name = basename(archive);
  const inside = name.replace(/\.(gz|bz2|xz|zst|lz4|gpg|asc|age|enc)$/, '');
  const out = inside === name ? `${name}.unpacked` : inside;
  const { what, command } = wrappings[by];
  const restored = by === '7z' || by === 'rar' ? [] : [restoreFile(out, commands)];
  return {
    what: `it is ${what}`,
    options: [
      `Unpack it, and let db-init restore the result, or say how to restore it. ${fetched}\n` +
        chain(fetch(archive, commands), command(shellWord(name), shellWord(out)), ...restored),
    ],
  };
}

type Unwrapping = (name: string, out: string) => string;

/** How each is taken off. */
const wrappings = {
  gzip: { what: 'packed with gzip', command: (name, out) => `gunzip -c ${name} > ${out}` },
  bzip2: { what: 'packed with bzip2', command: (name, out) => `bunzip2 -c ${name} > ${out}` },
  xz: { what: 'packed with xz', command: (name, out) => `xz -dc ${name} > ${out}` },
  zstd: { what: 'packed with Zstandard', command: (name, out) => `zstd -dc ${name} > ${out}` },
  lz4: { what: 'packed with LZ4', command: (name, out) => `lz4 -dc ${name} > ${out}` },
  '7z': { what: 'a 7-Zip archive', command: (name) => `7z x -ounpacked ${name}` },
  rar: { what: 'a RAR archive', command: (name) => `unrar x ${name} unpacked/` },
  encrypted: {
    what: 'encrypted with GnuPG, age or OpenSSL; only its owner can decrypt it',
    command: (name, out) => `gpg --output ${out} --decrypt ${name}`,
  },
  'utf-16': {
    what: 'a text in UTF-16, as PowerShell writes with “>”, which no database program reads',
    command: (name, out) => `iconv -f UTF-16 -t UTF-8 ${name} > ${out}`,
  },
} as const satisfies Record<Wrapping, { what: string; command: Unwrapping }>;

const exports = {
  'json-backup':
    'it is a JSON backup of TimeTracker, and neither db-init nor TimeTracker itself can restore one into a database',
  'json-export': 'it is a JSON export of TimeTracker, which holds some tables for reading and cannot be restored',
  json: 'it is a JSON file. What TimeTracker exports as JSON is for reading and cannot be restored',
  csv: 'it is a table of text (CSV), as TimeTracker exports it for reading, and cannot be restored',
} as const;

const exportsOnly = (commands: Commands): string =>
  'Take a ZIP archive instead: the page Admin, Backups of TimeTracker makes one (timetracker_backup_….zip), and so does db-init.\n' +
  commands.backup;

/** A program that fills a database, with its options. */
type Loader = readonly [program: string, ...options: string[]];

const psql: Loader = ['psql', '-q', '-v', 'ON_ERROR_STOP=1', '--single-transaction'];
const pgRestore: Loader = ['pg_restore', '--exit-on-error', '--single-transaction', '--no-owner'];

/** Commands of which each runs only if the one before it did what it should: they are pasted as they stand. */
function chain(...lines: readonly string[]): string {
  return lines
    .filter((line) => line !== '')
    .map((line) => `  ${line.trim()}`)
    .join(' && \\\n');
}

/** Brings the file that was named to where the commands are typed. */
function fetch(archive: string, commands: Commands): string {
  return `${commands.pipe(`cat ${shellWord(archive)}`)} > ${shellWord(basename(archive))}`;
}

const fetched = 'The first command copies the file to the current folder; leave it out if the file is there.';

/** Puts a file of the machine into the backup folder, and restores it. */
export function restoreFile(path: string, commands: Commands): string {
  return chain(commands.upload(path), commands.run('restore', basename(path)));
}

/** A ZIP archive with a password, or packed in a way that db-init does not unpack: 7-Zip unpacks all of them. */
export function packAgain(archive: string, commands: Commands): string {
  return [
    `Unpack it (with its password, if it has one), pack it again, and restore that archive. ${fetched}`,
    chain(
      fetch(archive, commands),
      `7z x -ounpacked ${shellWord(basename(archive))}`,
      '(cd unpacked && zip -qr "$OLDPWD/again.zip" .)',
      restoreFile('again.zip', commands),
    ),
  ].join('\n');
}

/** Where a dump is restored until it is complete, and how the former database is called afterwards. */
const namesAround = ({ databaseName }: Commands): { readonly made: string; readonly former: string } => ({
  made: `${databaseName}_restored`,
  former: `${databaseName}_before`,
});

/** The former database stays: it is renamed once the new one is complete, and nothing is restored over it. */
function intoNewDatabase({ archive, commands }: Given, [program, ...options]: Loader, packed: boolean): string {
  if (commands.engine !== 'postgresql') return wantsPostgres;
  const { made } = namesAround(commands);
  const file = shellWord(basename(archive));
  const into = commands.client(program, [...options, '-d', databaseWord({ database: made })], 'piped').trim();
  const load = packed ? `gunzip -c ${file} | ${into}` : `${into} < ${file}`;
  return swapCommands(commands, fetched, [fetch(archive, commands), commands.client('createdb', [made]), load]);
}

const wantsPostgres =
  'Set DATABASE_URL to a PostgreSQL database (postgresql://user:password@db:5432/timetracker) to load it there, ' +
  'and run this again: db-init then shows the commands.';

/** Fills a new database, and has it take the place of the live one only then. */
function swapCommands(commands: Commands, how: string, filling: readonly string[]): string {
  const { databaseName } = commands;
  const { made, former } = namesAround(commands);
  const rename = (from: string, to: string): readonly string[] => [
    '-c',
    `ALTER DATABASE ${quoteName(from)} RENAME TO ${quoteName(to)}`,
  ];
  return [
    `Restore it into a new database, which then takes the place of the former one; that is kept as ${former}. ${how}`,
    ...(commands.stop === '' ? ['Stop the application before you type the rest.'] : []),
    chain(
      ...filling,
      commands.stop,
      commands.client('psql', [
        '-d',
        'postgres',
        '-v',
        'ON_ERROR_STOP=1',
        ...rename(databaseName, former),
        ...rename(made, databaseName),
      ]),
      commands.gate,
    ),
    'If a command fails, the next ones do not run, and the live database is as it was. Before you try again, drop the incomplete database:',
    commands.client('dropdb', ['--if-exists', made]),
  ].join('\n');
}

/** A dump of SQLite is a text: a new file is made of it. */
function intoFile({ archive, commands }: Given, packed: boolean): string {
  const name = shellWord(basename(archive));
  return [
    `It was made from an SQLite file: load it into a new file, and restore that file. ${fetched}`,
    chain(
      fetch(archive, commands),
      packed ? `gunzip -c ${name} | sqlite3 restored.db` : `sqlite3 restored.db < ${name}`,
      restoreFile('restored.db', commands),
    ),
  ].join('\n');
}

const image = (major: number | null): string => `postgres:${major ?? 16}-alpine`;

/** The container of a server that is there for a dump only. */
const server = 'timetracker_apart';

/** What a server of its own took in, whole or with errors, becomes a dump that is restored like any other. */
function dumpAndRestore(user: string, commands: Commands): readonly string[] {
  return [
    `docker exec ${server} sh -c 'for i in $(seq 120); do pg_isready -q -h 127.0.0.1 && exit 0; sleep 1; done; exit 1'`,
    `docker exec ${server} pg_dump -U ${shellWord(user)} -Fc ${shellWord(databaseWord({ database: commands.databaseName }))} > restored.dump`,
    `docker rm -f -v ${server}`,
    restoreFile('restored.dump', commands),
  ];
}

function throughServerOfItsOwn({ archive, commands }: Given, _loader: Loader, packed: boolean): string {
  if (commands.engine !== 'postgresql') return wantsPostgres;
  const file = shellWord(basename(archive));
  const into = `docker exec -i ${server} psql -U postgres -q -d ${shellWord(databaseWord({ database: commands.databaseName }))}`;
  const login = '-e POSTGRES_USER=postgres -e POSTGRES_HOST_AUTH_METHOD=trust';
  return [
    'It creates databases or roles, drops objects first, or belongs to another role. Load it into a separate ' +
      `server, dump the database there, and restore that dump. ${fetched} Errors about objects that exist already, or ` +
      'do not exist, do not matter. If the database had another name, give that name to pg_dump.',
    chain(
      fetch(archive, commands),
      `docker run -d --name ${server} ${login} -e POSTGRES_DB=${shellWord(commands.databaseName)} ${image(null)}`,
      `docker exec ${server} sh -c 'for i in $(seq 120); do pg_isready -q -h 127.0.0.1 && exit 0; sleep 1; done; exit 1'`,
      packed ? `gunzip -c ${file} | ${into}` : `${into} < ${file}`,
      ...dumpAndRestore('postgres', commands),
    ),
  ].join('\n');
}

/** How a folder comes out of what it is packed in, into a folder `unpacked` where the commands are typed. */
function unpack({ archive, commands }: Given, packing: FolderPacking): readonly string[] {
  const name = shellWord(basename(archive));
  switch (packing) {
    case 'none':
      return ['mkdir unpacked', `${commands.pipe(`tar -cC ${shellWord(archive)} .`)} | tar -xC unpacked`];
    case 'zip':
      return [fetch(archive, commands), `unzip -q ${name} -d unpacked`];
    case 'tar':
      return [fetch(archive, commands), 'mkdir unpacked', `tar -xf ${name} -C unpacked`];
    case 'tar.gz':
      return [fetch(archive, commands), 'mkdir unpacked', `tar -xzf ${name} -C unpacked`];
  }
}

const packings = {
  none: 'it is a folder',
  zip: 'it is a ZIP archive without a manifest.json of its own',
  tar: 'it is a tar archive',
  'tar.gz': 'it is a tar archive, packed with gzip',
} as const satisfies Record<FolderPacking, string>;

function adviceOnFolder(given: Given, { packing, contents }: Extract<OtherFile, { kind: 'folder' }>): FileAdvice {
  const { another, commands } = given;
  const it = packings[packing];
  const unpacking = unpack(given, packing);
  switch (contents.kind) {
    case 'data-directory':
      return {
        what: `${it}, and holds the data directory of a PostgreSQL ${contents.major ?? 'server'}, the files of a server and no dump of a database`,
        options: [fromDataDirectory(unpacking, contents, commands), another],
      };
    case 'unpacked-archive':
      return {
        what: `${it}, and holds an archive that was unpacked`,
        options: [
          'Pack it again as a ZIP archive, and restore that.\n' +
            chain(
              ...unpacking,
              `(cd ${shellWord(`unpacked/${contents.path}`)} && zip -qr "$OLDPWD/again.zip" .)`,
              restoreFile('again.zip', commands),
            ),
          another,
        ],
      };
    case 'dump-directory':
      return {
        what: `${it}, and holds a dump of pg_dump in the format of a directory`,
        options: [fromDumpDirectory(unpacking, contents.path, commands), another],
      };
    case 'backups': {
      const [best, ...others] = contents.paths;
      const more = others.length === 0 ? '' : ` and ${others.length} more like it`;
      const logs = contents.logs.map((log) => `unpacked/${log}`);
      // db-init sees a folder, and reads a file in it as it is
      const option =
        packing === 'none'
          ? `Restore what is in it, or let db-init say how to restore it.\n${commands.run('restore', join(given.archive, best))}`
          : 'Unpack it, and let db-init restore what is in it, or say how to restore it.\n' +
            chain(...unpacking, ...logs.map((log) => commands.upload(log)), restoreFile(`unpacked/${best}`, commands));
      return { what: `${it}, and holds ${best}${more}`, options: [option, another] };
    }
    case 'uploads':
      return {
        what: `${it}, and holds uploaded files and no database`,
        options: [
          'Files of the same name are replaced, all others stay. Make a backup first.\n' +
            `${commands.backup}\n` +
            chain(...unpacking, ...contents.roots.map((root) => uploadsBack(root, commands))),
          another,
        ],
      };
    case 'export':
      return {
        what: `${it}, and holds tables for reading, as TimeTracker exports them`,
        options: [exportsOnly(commands), another],
      };
    case 'unknown': {
      const some =
        contents.names.length === 0
          ? ''
          : ` (${contents.names.join(', ')}${contents.count > contents.names.length ? ', …' : ''})`;
      return {
        what: `${it}, and no backup of TimeTracker is in it: ${contents.count} files${some}`,
        options: [another],
      };
    }
  }
}

/** Runs as the user of db-init, whom the folders belong to. */
function uploadsBack(root: UploadRootName, commands: Commands): string {
  const folder = shellWord(commands.uploadFolder(root));
  return `tar -cC unpacked/${root} . | ${commands.pipe(`mkdir -p ${folder} && tar -xC ${folder}`).trim()}`;
}

function fromDumpDirectory(unpacking: readonly string[], path: string, commands: Commands): string {
  if (commands.engine !== 'postgresql') return wantsPostgres;
  const { made } = namesAround(commands);
  const [program, ...options] = pgRestore;
  const { copy, place } = commands.toServer(`unpacked/${path}`, '/tmp/dump_to_restore');
  return swapCommands(commands, '', [
    ...unpacking,
    copy,
    commands.client('createdb', [made]),
    commands.client(program, [...options, '-d', databaseWord({ database: made }), place]),
  ]);
}

/** A server of the same major reads it, and only that one: from there a dump leads to where the database is now. */
function fromDataDirectory(
  unpacking: readonly string[],
  { path, major }: Extract<Contents, { kind: 'data-directory' }>,
  commands: Commands,
): string {
  if (commands.engine !== 'postgresql') return wantsPostgres;
  const which = major === null ? 'The image has to be of the major that the file PG_VERSION in it says. ' : '';
  return [
    `Start a server of its own on a copy of it, dump the database from there, and restore that dump: db-init says how. ${which}` +
      'If it was copied while the server ran, it may not start.',
    chain(
      ...unpacking,
      `docker run -d --name ${server} -e PGDATA=/copy/data ${image(major)} sleep infinity`,
      `tar -cC ${shellWord(`unpacked/${path}`)} . | docker exec -i ${server} sh -c 'mkdir -p /copy/data && tar -xC /copy/data && chown -R postgres /copy && chmod 700 /copy/data'`,
      `docker exec -d -u postgres ${server} postgres`,
      ...dumpAndRestore(commands.user, commands),
    ),
  ].join('\n');
}
