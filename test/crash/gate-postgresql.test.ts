import { describeOnPostgres } from './matrix.ts';

describeOnPostgres(
  'fresh',
  'behind',
  'corrupted',
  'drifted',
  'unversioned',
  'reset',
  'restore by schemas',
  'undo by schemas',
);
