import type pg from 'pg';
import { reasonOf } from '../../errors/failure.ts';
import { quoteName, quoteText } from '../../platform/sql-quoting.ts';
import { flag, number, only, optionalText, text } from '../row-values.ts';
import { postgresSession } from './session.ts';

/** A setting of a database (`ALTER DATABASE … SET`), for all roles or for one. */
interface Setting {
  readonly role: string | null;
  readonly name: string;
  readonly value: string;
}

/** A property of a database that could not be copied, with the reason. */
export interface UncopiedProperty {
  readonly property: { readonly kind: 'limit' | 'comment' | 'grants' } | ({ readonly kind: 'setting' } & Setting);
  readonly reason: string;
}

/**
 * Copies the settings, connection limit, comment and grants of one database to another.
 * @returns those that could not be copied
 */
export async function copySettings(client: pg.Client, from: string, to: string): Promise<readonly UncopiedProperty[]> {
  const session = postgresSession(client);
  const lost: UncopiedProperty[] = [];
  const attempt = async (property: UncopiedProperty['property'], work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      await session.run('ROLLBACK').catch(() => undefined);
      lost.push({ property, reason: reasonOf(error) });
    }
  };
  for (const setting of await settingsOf(client, from)) {
    const scope = setting.role === null ? '' : `ROLE ${quoteName(setting.role)} IN `;
    await attempt({ kind: 'setting', ...setting }, async () => {
      // FROM CURRENT: the server itself quotes the value and handles lists
      await session.run(`BEGIN; SELECT set_config(${quoteText(setting.name)}, ${quoteText(setting.value)}, true);
        ALTER ${scope}DATABASE ${quoteName(to)} SET ${setting.name.split('.').map(quoteName).join('.')} FROM CURRENT;
        COMMIT`);
    });
  }
  // the limit is copied only after the load, because the load needs several connections
  const limit = await limitOf(client, from);
  await attempt({ kind: 'limit' }, () => session.run(`ALTER DATABASE ${quoteName(to)} CONNECTION LIMIT ${limit}`));
  const comment = await commentOf(client, from);
  if (comment !== null) {
    await attempt({ kind: 'comment' }, () =>
      session.run(`COMMENT ON DATABASE ${quoteName(to)} IS ${quoteText(comment)}`),
    );
  }
  const grants = await grantsOf(client, from);
  if (grants !== null) {
    await attempt({ kind: 'grants' }, () =>
      session.run(
        ['BEGIN', `REVOKE ALL ON DATABASE ${quoteName(to)} FROM PUBLIC`, ...grants(quoteName(to)), 'COMMIT'].join('; '),
      ),
    );
  }
  return lost;
}

async function settingsOf(client: pg.Client, database: string): Promise<readonly Setting[]> {
  const rows = await postgresSession(client).query(
    `SELECT r.rolname AS role, split_part(entry, '=', 1) AS name, substr(entry, strpos(entry, '=') + 1) AS value
     FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
     CROSS JOIN unnest(s.setconfig) AS entry
     WHERE d.datname = $1 ORDER BY 1 NULLS FIRST, 2`,
    [database],
  );
  return rows.map((row) => ({ role: optionalText(row, 'role'), name: text(row, 'name'), value: text(row, 'value') }));
}

async function limitOf(client: pg.Client, database: string): Promise<number> {
  const rows = await postgresSession(client).query('SELECT datconnlimit AS limit FROM pg_database WHERE datname = $1', [
    database,
  ]);
  return number(only(rows), 'limit');
}

async function commentOf(client: pg.Client, database: string): Promise<string | null> {
  const rows = await postgresSession(client).query(
    `SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1`,
    [database],
  );
  return optionalText(only(rows), 'comment');
}

/**
 * Reads the grants on a database.
 * @returns null if no right was ever granted or revoked: a new database has the same default rights
 */
async function grantsOf(client: pg.Client, database: string): Promise<((target: string) => readonly string[]) | null> {
  const session = postgresSession(client);
  const custom = await session.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datacl IS NOT NULL', [database]);
  if (custom.length === 0) return null;
  const rows = await session.query(
    `SELECT privilege_type AS privilege, is_grantable AS grantable,
            CASE WHEN grantee = 0 THEN NULL ELSE pg_get_userbyid(grantee) END AS grantee
     FROM pg_database, aclexplode(datacl) WHERE datname = $1 AND grantee <> datdba`,
    [database],
  );
  return (target) =>
    rows.map((row) => {
      const grantee = optionalText(row, 'grantee');
      const option = flag(row, 'grantable') ? ' WITH GRANT OPTION' : '';
      const whom = grantee === null ? 'PUBLIC' : quoteName(grantee);
      return `GRANT ${text(row, 'privilege')} ON DATABASE ${target} TO ${whom}${option}`;
    });
}
