/** The word that is most like the typed one; null if none is similar. */
export function closestName(typed: string, words: readonly string[]): string | null {
  const [best] = words
    .map((word) => ({ word, edits: editsBetween(typed, word) }))
    .toSorted((one, other) => one.edits - other.edits);
  return best !== undefined && best.edits <= 2 ? best.word : null;
}

/** How many letters have to be inserted, left out or replaced (the distance of Levenshtein). */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let line = 1; line <= one.length; line++) {
    const above = row;
    row = [line];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (one[line - 1] === other[column - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[column] ?? 0) + 1, (row[column - 1] ?? 0) + 1));
    }
  }
  return row[other.length] ?? 0;
}
