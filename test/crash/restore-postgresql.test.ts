import { describeOnPostgres } from './matrix.ts';

describeOnPostgres('restore');
