import { isCollection, type Node, parseAllDocuments, type Tags } from 'yaml';

/** A parsed map of a YAML file. */
export type YamlMap = Readonly<Record<string, unknown>>;

/** Whether a value is a mapping. */
export const isMap = (value: unknown): value is YamlMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Replacement);

/** The value as a map; empty if it is not a map. */
export const mapOf = (value: unknown): YamlMap => (isMap(value) ? value : {});

/** The value as a list; a single value is a list of one, as in most places of a compose file. */
export const listOf = (value: unknown): readonly unknown[] => {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
};

/** The value as text; null for maps, lists and null. */
export const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'boolean' ? String(value) : null;

/**
 * A value that replaces the value of earlier files instead of being merged into it: `!override`, or `!reset`, which
 * removes the earlier value.
 */
export class Replacement {
  /** Undefined for `!reset`. */
  readonly content: unknown;

  constructor(content: unknown) {
    this.content = content;
  }
}

const reset = { tag: '!reset', resolve: (): Replacement => new Replacement(undefined) };
/** Keeps the node of a collection until the document is converted. */
const override = { tag: '!override', resolve: (node: unknown): Replacement => new Replacement(node) };

const ofEveryKind = <T extends object>(tag: T) => [
  tag,
  { ...tag, collection: 'seq' as const },
  { ...tag, collection: 'map' as const },
];

// compose keeps values as they are written: it does not read 0123 and 1.10 as numbers
const tagsOfCompose = (tags: Tags): Tags => [
  ...tags.filter((tag) => typeof tag === 'string' || !/:(?:int|float)$/.test(tag.tag)),
  ...ofEveryKind(reset),
  ...ofEveryKind(override),
];

/** Parses the documents of a YAML file, with anchors and merge keys. @throws YAMLParseError with line and column */
export function parseYaml(text: string): readonly unknown[] {
  const options = { merge: true, schema: 'core', customTags: tagsOfCompose, logLevel: 'error' } as const;
  return [...parseAllDocuments(text, options)].map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const converted = (node: Node): unknown => node.toJS(document);
    const parsed: unknown = document.toJS({
      reviver: (_key, value: unknown) =>
        value instanceof Replacement && isCollection(value.content) ? new Replacement(converted(value.content)) : value,
    });
    return parsed;
  });
}
