import { releases } from '../../support/fixtures.ts';
import { describeAdoption } from './adoptions.ts';

for (const tag of await releases('pg')) describeAdoption('pg', tag);
