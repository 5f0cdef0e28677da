import { expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { execute, admin, withClient } from '../../support/database.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { ask, currentArchive, fillWithNewer, install } from './restores.ts';

const archive = currentArchive('postgresql');

describePostgres(
  'an object of the live database that no archive contains',
  () => {
    it('is copied by a restore if that is safe; otherwise it is named with its statement before and after', async () => {
      const place = await install('postgresql');
      const { database } = place;
      await fillWithNewer(database);
      const nothing = await place.must('restore', archive, '--dry-run');
      expect(nothing.all).not.toMatch(/will lack|created again/);
      const reader = `${database.name}_reader`;
      await admin(`CREATE ROLE ${reader}`);
      atEnd(() => admin(`DROP ROLE IF EXISTS ${reader}`));
      const type = String((await ask(database, `SELECT min(typname) FROM pg_type WHERE typtype = 'e'`))[0]);
      await execute(
        database,
        `CREATE TABLE of_mine (id int); CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE PUBLICATION of_users FOR TABLE users (id, username) WHERE (id > 1), clients; CREATE PUBLICATION of_all FOR ALL TABLES;
         CREATE PUBLICATION of_inserts WITH (publish = 'insert');
         CREATE SUBSCRIPTION to_me CONNECTION 'host=nowhere password=hush-hush' PUBLICATION theirs WITH (connect = false);
         GRANT USAGE, CREATE ON SCHEMA public TO ${reader} WITH GRANT OPTION; GRANT SELECT, INSERT ON users, clients TO ${reader};
         GRANT SELECT ON tasks TO PUBLIC; GRANT UPDATE (name, email) ON clients TO ${reader}; GRANT SELECT ON of_mine TO ${reader};
         GRANT USAGE ON SEQUENCE users_id_seq TO ${reader}; GRANT EXECUTE ON FUNCTION mine() TO ${reader};
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO ${reader};
         ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO ${reader};
         REVOKE EXECUTE ON FUNCTION mine() FROM PUBLIC; REVOKE USAGE ON SCHEMA public FROM PUBLIC; REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
         REVOKE USAGE ON TYPE ${type} FROM PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`,
      );
      const everybody = `has_schema_privilege('public', 'public', 'USAGE'), has_language_privilege('public', 'plpgsql', 'USAGE'),
        has_type_privilege('public', '${type}', 'USAGE')`;
      expect(await ask(database, `SELECT concat_ws(' ', ${everybody})`)).toEqual(['f f f']);
      const { all } = await place.must('restore', archive, '--yes');
      const words = all.replaceAll(/\s+/g, ' ');
      expect(words).toContain(
        `revocation of USAGE from everybody on language plpgsql, schema public, type ${type}; rights of ${reader} on clients, columns of clients, function mine, of_mine, schema public, users, users_id_seq`,
      );
      expect(words).toMatch(
        /created again in the restored database[^.]*publication of_inserts; publication of_users; revocation of /,
      );
      expect(words).toMatch(
        /will lack these, because no archive contains them: publication of_all; subscription to_me\./,
      );
      expect(words).not.toContain('hush-hush');
      // an object that cannot be made is named after the failure
      expect(words).toContain(`Not carried over: rights of ${reader} on of_mine (`);
      expect(words).toContain('Not carried over: revocation of EXECUTE from everybody on function mine (');
      expect(await ask(database, `SELECT concat_ws(' ', ${everybody})`)).toEqual(['f f f']);
      const [, report = ''] = words.split('Create again what the restored database lacks');
      expect(words.split('CREATE PUBLICATION of_all FOR ALL TABLES')).toHaveLength(3);
      expect(report).toContain('REVOKE EXECUTE ON FUNCTION public.mine() FROM PUBLIC;');
      expect(report).not.toContain('REVOKE USAGE');
      expect(report).toContain('CREATE SUBSCRIPTION to_me CONNECTION ');
      expect(report).toContain(`GRANT SELECT ON TABLE public.of_mine TO ${reader};`);
      expect(report).toContain(`GRANT EXECUTE ON FUNCTION public.mine() TO ${reader};`);
      expect(report).not.toMatch(/GRANT [^;]* public\.(users|clients|tasks)|of_users|of_inserts|DEFAULT PRIVILEGES/);
      expect(
        await ask(
          database,
          `SELECT concat_ws(' ', table_name, privilege_type) FROM information_schema.table_privileges
           WHERE grantee = '${reader}' OR (grantee = 'PUBLIC' AND table_schema = 'public') ORDER BY 1`,
        ),
      ).toEqual(['clients INSERT', 'clients SELECT', 'tasks SELECT', 'users INSERT', 'users SELECT']);
      expect(
        await ask(
          database,
          `SELECT concat_ws(' ', pubname, tablename, attnames, rowfilter) FROM pg_publication_tables ORDER BY 1`,
        ),
      ).toEqual([expect.stringMatching(/^of_users clients /), 'of_users users {id,username} (id > 1)']);
      expect(
        await ask(
          database,
          `SELECT has_schema_privilege('${reader}', 'public', 'CREATE WITH GRANT OPTION')
             AND has_column_privilege('${reader}', 'clients', 'email', 'UPDATE')
             AND has_sequence_privilege('${reader}', 'users_id_seq', 'USAGE')
             AND (SELECT count(*) = 3 FROM pg_default_acl)`,
        ),
      ).toEqual([true]);
      // it belongs to the former database, and would prevent that it is dropped
      await withClient(requirePostgres().url, async (client) => {
        const { rows } = await client.query<{ name: string }>(
          `SELECT datname AS name FROM pg_database d JOIN pg_subscription s ON s.subdbid = d.oid WHERE subname = 'to_me'`,
        );
        const former = new URL(database.url);
        former.pathname = `/${rows[0]?.name}`;
        await withClient(former.href, (inside) =>
          inside
            .query('ALTER SUBSCRIPTION to_me SET (slot_name = NONE)')
            .then(() => inside.query('DROP SUBSCRIPTION to_me')),
        );
      });
      await place.must('restore', '--drop-former', '--yes');
      await execute(database, `DROP OWNED BY ${reader}`);
    });
  },
  'tools',
);
