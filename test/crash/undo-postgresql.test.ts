import { describeOnPostgres } from './matrix.ts';

describeOnPostgres('undo', 'backup');
