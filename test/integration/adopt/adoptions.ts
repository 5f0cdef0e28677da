import type { Catalog } from '../../../src/model/catalog.ts';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { catalogAt, loadHistory } from '../../../src/schema/history.ts';
import { release } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { snapshot } from '../../support/snapshot.ts';
import { databaseTime, dbInit, restoreRelease, withSession } from '../upgrade/release-database.ts';

/** The keys of `status --json` about adoption. */
export async function statusOf(url: string): Promise<unknown> {
  const { stdout } = await dbInit(['status', '--json'], url);
  const status: unknown = JSON.parse(stdout);
  return status;
}

/** A release's database without its version table must get the same schema as the complete one. */
export function describeAdoption(engine: 'pg' | 'sqlite', tag: string): void {
  const suite = engine === 'pg' ? describePostgres : describe;
  suite(`${engine}/${tag} without version information`, () => {
    it('is adopted at its revision, and reaches the same schema as with its version rows', async () => {
      const [whole, lost] = [await restoreRelease(engine, tag), await restoreRelease(engine, tag)];
      await alter(lost, 'DROP TABLE alembic_version');
      const status = await statusOf(lost);
      expect(status).toMatchObject({ state: 'unversioned', action: 'adopt and migrate', exitCode: 0 });
      expect(await catalogOf(engine, adoptsOf(status))).toEqual(await catalogOf(engine, await rowsOf(engine, tag)));

      const since = await withSession(whole, databaseTime);
      for (const url of [whole, lost]) {
        const { exitCode, all } = await dbInit([], url, { TT_BACKUP_BEFORE_MIGRATE: 'never' });
        expect(exitCode, all).toBe(0);
      }
      const until = await withSession(whole, databaseTime);
      const [expected, found] = [await snapshot(whole), await snapshot(lost)].map((text) =>
        comparable(text, since, until),
      );
      expect(found).toBe(expected);
    });
  });
}

/** Runs SQL in a database of a test. */
export async function alter(url: string, sql: string): Promise<void> {
  await withSession(url, (session) => session.run(sql));
}

function adoptsOf(status: unknown): readonly string[] {
  const adopts = typeof status === 'object' && status !== null && 'adopts' in status ? status.adopts : null;
  if (!Array.isArray(adopts)) throw new TypeError('the status does not say what is adopted');
  return adopts.map(String);
}

async function catalogOf(engine: 'pg' | 'sqlite', rows: readonly string[]): Promise<Catalog> {
  return catalogAt(rows, releaseGraph, await loadHistory(engine === 'pg' ? 'postgresql' : 'sqlite'));
}

/** The rows that the release had in alembic_version. */
async function rowsOf(engine: 'pg' | 'sqlite', tag: string): Promise<readonly string[]> {
  const meta: unknown = JSON.parse(await readFile(release(engine, tag, 'meta.json'), 'utf8'));
  const rows = typeof meta === 'object' && meta !== null && 'alembic_version' in meta ? meta.alembic_version : null;
  if (!Array.isArray(rows)) throw new TypeError(`${tag}/meta.json does not say which revision it is`);
  return rows.map(String);
}

/** The database as text, without parts that differ in each run: times, and line breaks in Alembic's SQL. */
function comparable(text: string, since: string, until: string): string {
  return text
    .replace(/"CREATE TABLE alembic_version .*"/, (sql) =>
      sql.replaceAll(/(?:\\[nt]| )+/g, ' ').replaceAll(/(?<=\() | (?=\))/g, ''),
    )
    .replaceAll(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?/g, (time) => {
      const second = time.slice(0, 19).replace('T', ' ');
      return second >= since.slice(0, 19) && second <= until.slice(0, 19) ? '<now>' : time;
    });
}
