import type { Engine } from '../../../src/model/engine.ts';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startCluster } from '../../../test/support/local-cluster.ts';
import { embeddedInstallation, installations } from '../../../test/support/postgres-installations.ts';
import { queryValue } from '../../with-database.ts';

/** A PostgreSQL server and a folder for one import. Both are removed at its end. */
export interface Workspace {
  readonly folder: string;
  /** Creates an empty database, or a copy of `source`. @returns its DATABASE_URL */
  create(engine: Engine, name: string, source?: string): Promise<string>;
  /** The statements that changed a PostgreSQL database since the last call. */
  statements(name: string): Promise<readonly string[]>;
}

const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'log_statement=mod'];
// log each statement with the name of its database
const logging = [
  'logging_collector=on',
  'log_directory=log',
  'log_filename=server',
  'log_line_prefix=@@%d@@',
  'log_rotation_age=0',
  'log_rotation_size=0',
];

/** Creates a workspace, passes it to `work`, and always removes it. */
export async function withWorkspace<Result>(work: (workspace: Workspace) => Promise<Result>): Promise<Result> {
  const [newest] = await installations(['initdb', 'postgres']);
  const installation = newest === undefined ? embeddedInstallation() : dirname(newest.bin);
  if (installation === null) throw new Error('PostgreSQL is not installed on this machine: its programs are needed');
  const folder = await mkdtemp(join(tmpdir(), 'db-init-import-'));
  // the application may run as another user, in a container
  chmodSync(folder, 0o777);
  try {
    const server = await startCluster(
      installation,
      [...settings, ...logging].flatMap((setting) => ['-c', setting]),
    );
    try {
      return await work(await openWorkspace(server.url, folder));
    } finally {
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openWorkspace(serverUrl: string, folder: string): Promise<Workspace> {
  const admin = (sql: string): Promise<string> => queryValue(serverUrl, sql);
  const log = join(await admin('SHOW data_directory'), 'log/server');
  const read = new Map<string, number>();
  let marks = 0;

  const place = (engine: Engine, name: string): string => {
    if (engine === 'sqlite') return `sqlite:///${join(folder, `${name}.db`)}`;
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    return url.href;
  };
  return {
    folder,
    async create(engine, name, source) {
      const url = place(engine, name);
      if (engine === 'postgresql') {
        await admin(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
        await admin(`CREATE DATABASE "${name}" TEMPLATE "${source ?? 'template0'}"`);
        return url;
      }
      await rm(join(folder, `${name}.db`), { force: true });
      if (source !== undefined) {
        await copyFile(join(folder, `${source}.db`), join(folder, `${name}.db`));
        chmodSync(join(folder, `${name}.db`), 0o666);
      }
      return url;
    },
    async statements(name) {
      // the server writes its log with a delay: when this known statement is in the log, all earlier ones are too
      marks += 1;
      const mark = `import_mark_${marks}`;
      await admin(`CREATE TEMPORARY TABLE ${mark} ()`);
      let text = '';
      for (let attempt = 0; attempt < 500 && !text.includes(mark); attempt += 1) {
        text = await readFile(log, 'utf8').catch(() => '');
        if (!text.includes(mark)) await setTimeout(10);
      }
      if (!text.includes(mark)) throw new Error(`the server's log does not tell its statements: ${log}`);
      const all = readStatements(text, name);
      const fresh = all.slice(read.get(name) ?? 0);
      read.set(name, all.length);
      return fresh;
    },
  };
}

/** The statements in a server's log for one database. */
export function readStatements(log: string, database: string): readonly string[] {
  const entries = log.split(/^@@/m).map((entry) => entry.trim());
  return entries.flatMap((entry) => {
    const [, name, statement] = /^(.*?)@@LOG: +(?:statement|execute [^:]*): (.*)$/s.exec(entry) ?? [];
    return name === database && statement !== undefined ? [statement.replaceAll(/\n\t/g, '\n')] : [];
  });
}
