import { describeRepairs } from './repairs-postgresql.ts';

await describeRepairs(0);
