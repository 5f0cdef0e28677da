/** The properties of an object of unknown origin. */
export type Fields = Readonly<Record<string, unknown>>;

/** The properties of an object or of its JSON text; null if it is not an object. */
export function parseRecord(value: unknown): Fields | null {
  if (typeof value === 'string') {
    try {
      const content: unknown = JSON.parse(value);
      return typeof content === 'string' ? null : parseRecord(content);
    } catch {
      return null;
    }
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** The items of a list; null if one of them cannot be parsed. */
export function entriesOfList<Item>(value: unknown, read: (item: unknown) => Item | null): readonly Item[] | null {
  if (!Array.isArray(value)) return null;
  const items: Item[] = [];
  for (const entry of value) {
    const item = read(entry);
    if (item === null) return null;
    items.push(item);
  }
  return items;
}
