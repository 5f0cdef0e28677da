import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { loadHead } from '../../../src/schema/expected-schema.ts';
import { describeEngines, sqliteUrl, withClient } from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';

const rehearse = (url: string, ...flags: string[]) =>
  run(['plan', '--rehearse', ...flags], { env: { DATABASE_URL: url } });

describePostgres('a rehearsal on PostgreSQL', () => {
  it('reports what would change, and changes nothing but positions of sequences', async () => {
    const { url } = await restoredDatabase(release('pg', 'v4.20.0', 'before.sql.gz'));
    const before = await snapshot(url, { withoutSequences: true });
    const { exitCode, stdout } = await rehearse(url);
    expect(exitCode).toBe(0);
    const heads = releaseGraph.heads.join();
    expect(stdout).toMatch(new RegExp(`(\\d+)/\\1 ${heads}`));
    expect(stdout).toMatch(/tables created \(\d+\): .*api_idempotency_keys/);
    expect(stdout).toContain('rows of permissions: 50 before, 62 after');
    expect(await snapshot(url, { withoutSequences: true })).toBe(before);
  });

  it('finds the reason why the gate would fail', async () => {
    const { url } = await restoredDatabase(release('pg', 'v1.5.1', 'before.sql.gz'));
    await withClient(url, (client) =>
      client.query(`ALTER TABLE users ADD COLUMN oidc_sub text DEFAULT 'same',
        ADD COLUMN oidc_issuer text DEFAULT 'same'`),
    );
    const before = await snapshot(url);
    const { exitCode, stderr } = await rehearse(url);
    expect(exitCode).toBe(20);
    expect(stderr).toContain('Migration 015 failed');
    expect(await snapshot(url)).toBe(before);
  });
});

describe('a rehearsal on SQLite', () => {
  it('uses a copy that is deleted at the end', async () => {
    const file = await sqliteFile(release('sqlite', 'v4.20.0', 'before.db.gz'));
    const before = await snapshot(sqliteUrl(file));
    await writeFile(`${file}.rehearsal`, 'mine');
    const beside = await readdir(dirname(file));
    const { exitCode, stdout } = await rehearse(sqliteUrl(file), '--json');
    expect(exitCode).toBe(0);
    const report: unknown = JSON.parse(stdout);
    expect(report).toMatchObject({
      state: 'behind',
      rehearsal: { changes: { droppedTables: [] }, rows: { permissions: { before: 50, after: 62 } } },
    });
    expect(await snapshot(sqliteUrl(file))).toBe(before);
    expect(await readFile(`${file}.rehearsal`, 'utf8')).toBe('mine');
    const left = (await readdir(dirname(file))).filter((name) => !name.endsWith('.db-init-lock'));
    expect(left).toEqual(beside);
  });
});

describeEngines('a rehearsal of nothing', ({ name, create }) => {
  it('rehearses the creation of an empty database', async () => {
    const { url } = await create();
    const before = await snapshot(url);
    const { exitCode, stdout } = await rehearse(url);
    expect(exitCode).toBe(0);
    const { tables } = await loadHead(name);
    expect(stdout).toContain(`tables created (${Object.keys(tables).length - 1})`);
    expect(await snapshot(url)).toBe(before);
  });

  it('reports that there is nothing to rehearse on a current database', async () => {
    const { url } = await create();
    await run(['gate'], { env: { DATABASE_URL: url } });
    const { exitCode, stdout } = await rehearse(url);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('nothing to rehearse');
  });
});
