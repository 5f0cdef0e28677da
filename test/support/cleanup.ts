const actions: (() => Promise<unknown>)[] = [];

/** Runs `action` after all tests of the file: before the actions that are registered already, or after all of them. */
export function atEnd(action: () => Promise<unknown>, order: 'first' | 'last' = 'first'): void {
  if (order === 'first') actions.push(action);
  else actions.unshift(action);
}

/** Calls `make` once for each test file. Test files share modules, but not the databases and files that are removed at their end. */
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

/** Runs every registered action, even if some fail. @throws AggregateError */
export async function cleanUp(): Promise<void> {
  const failures: unknown[] = [];
  for (const action of actions.splice(0).toReversed()) {
    await action().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Cleaning up after the tests failed');
}
