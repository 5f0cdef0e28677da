import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { admin, createDatabase, databaseUrl, type TestDatabase, withClient } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';

describePostgres('a healthy database', () => {
  let template: TestDatabase;
  beforeAll(async () => {
    template = await createDatabase();
    await run(['gate'], { env: { DATABASE_URL: template.url } });
  });

  /** A database at the head that something has befallen. */
  async function damaged(sql: string): Promise<string> {
    const name = `dbi_${randomBytes(6).toString('hex')}`;
    await admin(`CREATE DATABASE ${name} TEMPLATE ${template.name}`);
    atEnd(() => admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    await withClient(databaseUrl(name), (client) => client.query(sql));
    return databaseUrl(name);
  }

  const gate = (url: string) => run(['gate'], { env: { DATABASE_URL: url } });

  const valueOf = (url: string, expression: string): Promise<unknown> =>
    withClient(url, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT (${expression})::text AS value`);
      return rows[0]?.['value'];
    });

  const capitals = ['draft', 'submitted', 'approved', 'rejected', 'cancelled']
    .map((label) => `ALTER TYPE timeoffrequeststatus RENAME VALUE '${label}' TO '${label.toUpperCase()}';`)
    .join('\n');
  const request = (status: string): string =>
    `SET session_replication_role TO replica;
     INSERT INTO time_off_requests (id, user_id, leave_type_id, start_date, end_date, status, created_at, updated_at)
     VALUES (${status === 'DRAFT' ? 1 : 2}, 1, 1, '2026-01-01', '2026-01-02', '${status}', now(), now());
     SET session_replication_role TO origin;`;

  it.each(
    Object.entries({
      'in capitals': capitals + request('DRAFT'),
      'in capitals and small letters, in part, and one of the owner': `
      ALTER TYPE timeoffrequeststatus RENAME VALUE 'draft' TO 'Draft';
      ALTER TYPE timeoffrequeststatus ADD VALUE 'DRAFT'; ALTER TYPE timeoffrequeststatus ADD VALUE 'waiting';
      ${request('DRAFT')}`,
    }),
  )('gives back the labels of a type that are %s, in rows and defaults', async (_, sql) => {
    const url = await damaged('SELECT 1');
    // a label cannot be used in the transaction that adds it
    for (const statement of sql.split(';').filter((each) => each.trim() !== '')) {
      await withClient(url, (client) => client.query(`SET session_replication_role TO replica; ${statement}`));
    }
    const { exitCode, all } = await gate(url);
    expect(exitCode, all).toBe(0);
    expect(await valueOf(url, "SELECT string_agg(status::text, ',') FROM time_off_requests")).toBe('draft');
    expect(await valueOf(url, 'SELECT enum_range(NULL::timeoffrequeststatus)')).toMatch(
      /^\{draft,submitted,approved,rejected,cancelled(?:,waiting)?\}$/,
    );
    const standard = `SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = adrelid AND attnum = adnum
                      WHERE adrelid = 'time_off_requests'::regclass AND attname = 'status'`;
    expect(await valueOf(url, standard)).toBe("'draft'::timeoffrequeststatus");
    const before = await snapshot(url);
    expect((await gate(url)).stdout).toContain('nothing to do');
    expect(await snapshot(url)).toBe(before);
  });
});
