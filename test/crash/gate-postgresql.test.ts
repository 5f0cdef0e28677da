import { describeOnPostgres } from './matrix.ts';

describeOnPostgres(
  'fresh',
  'behind',
  'corrupted',
  'drifted',
  'unversioned',
  'reset',
  'quarantine',
  'quarantine restore',
  'seed',
  'restore by schemas',
  'undo by schemas',
);
