import { othersOn } from './cases.ts';
import { followOptions } from './options.ts';

followOptions('postgresql', othersOn('postgresql'));
