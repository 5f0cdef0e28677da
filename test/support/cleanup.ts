import { afterAll } from 'vitest';

const actions: (() => Promise<unknown>)[] = [];

/** Runs `action` when all tests of the file are done; the latest registered runs first. */
export function atEnd(action: () => Promise<unknown>): void {
  actions.push(action);
}

// Vitest evaluates this module once for each test file, while it collects: the hook belongs to that file.
afterAll(async () => {
  const failures: unknown[] = [];
  for (const action of actions.splice(0).toReversed()) {
    await action().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Cleaning up after the tests failed');
});
