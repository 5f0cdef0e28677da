import { describePostgres } from '../support/postgres-server.ts';
import { describeOnPostgres, describeOnSqlite } from './matrix.ts';

describeOnPostgres('restore row by row');
// no server, but pg_restore reads the archive
describePostgres('a restore into a SQLite file', () => describeOnSqlite('restore row by row'), 'tools');
