import { describeOnSqlite } from './matrix.ts';

describeOnSqlite('restore', 'undo');
