import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { sqliteUrl } from '../support/database.ts';
import { snapshot } from '../support/snapshot.ts';
import { type TestInstallation, installationOn } from './test-installation.ts';

/**
 * Whether a file is a journal of which nothing was written to the disk, so that the database is as it was: the next
 * transaction writes over it (SQLite, "Hot Rollback Journals").
 */
const isUnused = (file: string): boolean => file.endsWith('-journal') && readFileSync(file)[0] === 0;

/** An installation with a SQLite file that does not exist yet. */
export function sqliteInstallation(): Promise<TestInstallation> {
  return installationOn(async (volume) => {
    const folder = join(volume, 'data');
    const file = join(folder, 'timetracker.db');
    // copies from before a recovery are kept if a run was killed within a transaction
    const names = (): readonly string[] =>
      readdirSync(folder)
        .filter((name) => name !== '.db-init-recovered' && !isUnused(join(folder, name)))
        .toSorted();
    // everything is on the volume
    const nothing = (): Promise<void> => Promise.resolve();
    return {
      engine: 'sqlite',
      url: sqliteUrl(file),
      name: 'timetracker.db',

      async execute(sql) {
        const database = new Database(file);
        try {
          database.exec(sql);
        } finally {
          database.close();
        }
      },

      async count(table) {
        if (!names().includes('timetracker.db')) return null;
        const database = new Database(file, { readonly: true });
        try {
          const there = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table);
          return there === undefined ? null : Number(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
        } finally {
          database.close();
        }
      },

      save: nothing,
      restoreSaved: nothing,

      async snapshot() {
        const files = names().filter((name) => /^timetracker\.db(\.bak_[\d_]+)?$/.test(name));
        const snapshots = files.map(async (name) => [name, await snapshot(sqliteUrl(join(folder, name)))] as const);
        return { files: names().join('\n'), ...Object.fromEntries(await Promise.all(snapshots)) };
      },

      leftovers: async () => names().filter((name) => /\.restore_|-(wal|shm|journal)$/.test(name)),
    };
  });
}
