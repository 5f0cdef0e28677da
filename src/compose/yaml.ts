import { parseAllDocuments, type Tags } from 'yaml';

/** A map of a YAML file, as it was parsed. */
export type YamlMap = Readonly<Record<string, unknown>>;

export const isMap = (value: unknown): value is YamlMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value as a map; empty where it is none. */
export const mapOf = (value: unknown): YamlMap => (isMap(value) ? value : {});

/** The value as a list; a single value is a list of one, as in most places of a compose file. */
export const listOf = (value: unknown): readonly unknown[] => {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
};

/** The value as text, where it is one; null for maps, lists and nothing. */
export const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'boolean' ? String(value) : null;

/** What `!reset` stands for in a compose file: nothing, whatever an earlier file says. */
const reset = { tag: '!reset', resolve: (): undefined => undefined };

// compose takes values as they are written: 0123 and 1.10 are no numbers to it
const tagsOfCompose = (tags: Tags): Tags => [
  ...tags.filter((tag) => typeof tag === 'string' || !/:(?:int|float)$/.test(tag.tag)),
  reset,
  { ...reset, collection: 'seq' as const },
  { ...reset, collection: 'map' as const },
];

/**
 * Parses the documents of a YAML file, with anchors and merge keys.
 * @throws YAMLParseError with line and column
 */
export function parseYaml(text: string): readonly unknown[] {
  const options = { merge: true, schema: 'core', customTags: tagsOfCompose, logLevel: 'error' } as const;
  return [...parseAllDocuments(text, options)].map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const parsed: unknown = document.toJS();
    return parsed;
  });
}
