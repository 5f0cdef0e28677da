const actions: (() => Promise<unknown>)[] = [];

/** Runs `action` when all tests of the file are done; the latest registered runs first, or after all that are there. */
export function atEnd(action: () => Promise<unknown>, order: 'first' | 'last' = 'first'): void {
  if (order === 'first') actions.push(action);
  else actions.unshift(action);
}

/** What `make` returns, made once for each file of tests: modules outlive a file, what they made does not. */
export function oncePerFile<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    if (made === null) {
      made = make();
      atEnd(() => Promise.resolve((made = null)));
    }
    return made;
  };
}

/** Runs what was registered, all of it whatever fails. @throws AggregateError */
export async function cleanUp(): Promise<void> {
  const failures: unknown[] = [];
  for (const action of actions.splice(0).toReversed()) {
    await action().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Cleaning up after the tests failed');
}
