/** Labels that are promised in another case: what is there → what it should be. */
export function findCaseVariants(found: readonly string[], promised: readonly string[]): ReadonlyMap<string, string> {
  const wanted = new Map(promised.map((label) => [label.toLowerCase(), label]));
  return new Map(
    found.flatMap((label) => {
      const target = wanted.get(label.toLowerCase());
      return target === undefined || promised.includes(label) ? [] : [[label, target] as const];
    }),
  );
}
