import { casesOn } from './cases.ts';
import { followOptions } from './options.ts';

followOptions('sqlite', casesOn('sqlite'));
