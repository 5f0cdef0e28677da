import { describeOnSqlite } from './matrix.ts';

describeOnSqlite(
  'fresh',
  'behind',
  'drifted',
  'unversioned',
  'reset',
  'quarantine',
  'quarantine restore',
  'seed',
  'backup',
);
