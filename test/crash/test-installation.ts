import type { Engine } from '../../src/model/engine.ts';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { run, type RunResult } from '../support/run.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { normaliser, type DatabaseSnapshot, treeOf } from './database-snapshot.ts';
import { type Death, type Ending, runUntilKilled } from './killable-process.ts';

/** The options of a process. */
export interface RunOptions {
  /** Default: it is not killed. */
  readonly death?: Death;
  /** The file to which the run writes its steps. */
  readonly list?: string;
  readonly more?: Readonly<Record<string, string>>;
}

/** A database with its volumes. It can be reset to the saved state any number of times. */
export interface TestInstallation {
  readonly engine: Engine;
  readonly url: string;
  /** The value of `--yes-delete-all-data`. */
  readonly name: string;
  /** The part of a snapshot that is the live database. */
  readonly live: string;
  readonly volume: string;
  readonly backups: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs db-init to its end within the test process. */
  run(args: readonly string[], more?: Readonly<Record<string, string>>): Promise<RunResult>;
  /** Runs db-init in a process that may be killed. */
  runProcess(args: readonly string[], options?: RunOptions): Promise<Ending>;
  execute(sql: string): Promise<void>;
  /** Saves the present state. */
  save(): Promise<void>;
  restoreSaved(): Promise<void>;
  /** The numbers of rows in the existing core tables. */
  rows(): Promise<Readonly<Record<string, number>>>;
  /** Everything that must not be lost: databases, former databases, uploads. */
  snapshot(): Promise<DatabaseSnapshot>;
  /** Descriptions of objects that must not be left after a start. */
  leftovers(): Promise<readonly string[]>;
}

/** What a database adds to an installation. */
export interface DatabaseEnvironment {
  readonly engine: Engine;
  readonly url: string;
  readonly name: string;
  readonly execute: (sql: string) => Promise<void>;
  readonly save: () => Promise<void>;
  readonly restoreSaved: () => Promise<void>;
  /** Null if there is no such table. */
  readonly count: (table: string) => Promise<number | null>;
  readonly snapshot: () => Promise<DatabaseSnapshot>;
  readonly leftovers: () => Promise<readonly string[]>;
}

const coreTables = ['users', 'projects', 'time_entries', 'clients'];
const roots = ['uploads', 'static', 'attachments'];

/** Builds an installation around a database. @param createDatabase creates the database; a SQLite file is on the volume */
export async function installationOn(
  createDatabase: (volume: string) => Promise<DatabaseEnvironment>,
): Promise<TestInstallation> {
  const began = new Date();
  const directory = await temporaryDirectory();
  const [volume, kept] = [join(directory, 'volume'), join(directory, 'kept')];
  const backups = join(volume, 'backups');
  for (const folder of [...roots, 'backups', 'installation', 'data']) {
    mkdirSync(join(volume, folder), { recursive: true });
  }
  writeUploads(volume);
  const database = await createDatabase(volume);
  const env = {
    DATABASE_URL: database.url,
    UPLOAD_FOLDER: join(volume, 'uploads'),
    TT_STATIC_UPLOAD_FOLDER: join(volume, 'static'),
    TT_ATTACHMENT_FOLDER: join(volume, 'attachments'),
    BACKUP_FOLDER: backups,
    INSTALLATION_CONFIG_DIR: join(volume, 'installation'),
    // for the seed
    FLASK_ENV: 'development',
  };
  const normalise = normaliser(began);

  return {
    ...database,
    live: normalise(database.name),
    volume,
    backups,
    env,
    run: (args, more) => run(args, { env: { ...env, ...more } }),
    runProcess: (args, { death, list, more } = {}) => runUntilKilled(args, { ...env, ...more }, death, list),

    async save() {
      rmSync(kept, { recursive: true, force: true });
      cpSync(volume, kept, { recursive: true, preserveTimestamps: true });
      await database.save();
    },

    async restoreSaved() {
      await database.restoreSaved();
      rmSync(volume, { recursive: true, force: true });
      cpSync(kept, volume, { recursive: true, preserveTimestamps: true });
    },

    async rows() {
      const counts: Record<string, number> = {};
      for (const table of coreTables) {
        const count = await database.count(table);
        if (count !== null) counts[table] = count;
      }
      return counts;
    },

    async snapshot() {
      const parts = {
        ...(await database.snapshot()),
        ...Object.fromEntries(roots.map((root) => [root, treeOf(join(volume, root))])),
      };
      return Object.fromEntries(Object.entries(parts).map(([part, text]) => [normalise(part), normalise(text)]));
    },

    leftovers: async () => [...(await database.leftovers()), ...leftoversIn(volume, backups)],
  };
}

/** Writes the uploads of the installation; the archives contain other files, and one with the same name. */
function writeUploads(volume: string): void {
  const files = {
    'uploads/avatars/1.png': 'an avatar of before',
    'uploads/receipts/März 2026.pdf': 'a receipt',
    'static/avatars/1.png': 'another avatar of before',
    'static/logos/company logo.png': 'a logo of before',
    'static/.gitkeep': '',
    'attachments/7/notes.md': 'notes of before',
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(volume, path, '..'), { recursive: true });
    writeFileSync(join(volume, path), content);
  }
}

function leftoversIn(volume: string, backups: string): readonly string[] {
  const memory = join(backups, '.db-init');
  const [inBackups, inMemory] = [readdirSync(backups), existsSync(memory) ? readdirSync(memory) : []];
  const sets = roots.flatMap((root) => readdirSync(join(volume, root)).map((name) => `${root}/${name}`));
  return [
    ...inMemory.filter((name) => name === 'restore.json' || name.startsWith('restore-')),
    ...sets.filter((path) => /\/\.db-init-(incoming|arriving|discarded)/.test(path)),
    ...inBackups.filter((name) => name.endsWith('.zip')).flatMap((name) => faultOf(join(backups, name))),
  ];
}

/** Checks with another implementation of ZIP that every file with the name of an archive is complete. */
function faultOf(archive: string): readonly string[] {
  try {
    const names = new AdmZip(archive).getEntries().map((entry) => {
      entry.getData();
      return entry.entryName;
    });
    const whole = names.includes('manifest.json') && names.some((name) => /^db\.(dump|sqlite)$/.test(name));
    return whole ? [] : [`${archive} holds only ${names.join(', ')}`];
  } catch (error) {
    return [`${archive} is not whole: ${String(error)}`];
  }
}

/** Unfinished archives. */
export const partialsOf = ({ backups }: Pick<TestInstallation, 'backups'>): readonly string[] =>
  readdirSync(backups).filter((name) => name.includes('.partial'));
