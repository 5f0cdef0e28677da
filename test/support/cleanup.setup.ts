import { afterAll } from 'vitest';
import { cleanUp } from './cleanup.ts';

// Vitest evaluates a set-up file once for each test file, even if the test files of a worker share their modules.
afterAll(cleanUp);
