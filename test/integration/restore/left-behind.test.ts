import { expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { admin } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { currentArchive, execute, fillWithNewer, install } from './restores.ts';

describePostgres(
  'what lies around the tables of the live database, and in no archive',
  () => {
    it('is named before a restore and after it, and not invented', async () => {
      const place = await install('postgresql');
      await fillWithNewer(place.database);
      const nothing = await place.must('restore', currentArchive('postgresql'), '--dry-run');
      expect(nothing.all).not.toContain('will lack');
      const reader = `${place.database.name}_reader`;
      await admin(`CREATE ROLE ${reader}`);
      atEnd(() => admin(`DROP ROLE IF EXISTS ${reader}`));
      await execute(
        place.database,
        `CREATE PUBLICATION of_mine FOR TABLE users; GRANT SELECT ON users, clients TO ${reader}; GRANT SELECT ON tasks TO PUBLIC;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO ${reader}`,
      );
      const words = (await place.must('restore', currentArchive('postgresql'), '--yes')).all.replaceAll(/\s+/g, ' ');
      for (const object of [
        'publication of_mine',
        `rights of ${reader} on clients, users`,
        'rights of everybody on tasks',
        'default privileges for what ',
      ]) {
        expect(words).toMatch(new RegExp(`will lack, for no archive holds it: [^.]*${object}`));
        expect(words).toMatch(new RegExp(`Make anew what the restored database lacks[^.]*${object}`));
      }
      await place.must('restore', '--drop-former', '--yes');
    });
  },
  'tools',
);
