import { statesOn } from './cases.ts';
import { followOptions } from './options.ts';

followOptions('postgresql', statesOn('postgresql'));
