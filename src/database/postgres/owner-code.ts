/** A function of the owner's, as pg_proc has it. */
export interface OwnerFunction {
  readonly name: string;
  readonly source: string;
  readonly language: string;
  /** Whether it runs with the rights of its owner. */
  readonly definer: boolean;
  readonly arguments: readonly string[];
}

/** Built-in functions that count as volatile, and have no effect outside of the transaction. */
export const harmlessFunctions: readonly string[] = [
  'clock_timestamp',
  'gen_random_uuid',
  'random',
  'statement_timestamp',
  'timeofday',
];

// these act at once or outside of the transaction, run text as SQL, or change who acts
const actingWords =
  /\b(?:call|cluster|copy|deallocate|discard|do|execute|import|listen|load|lock|notify|prepare|reindex|reset|security|unlisten|vacuum)\b/i;

/** Source without comments and string literals. */
export function withoutLiterals(source: string): string {
  return source.replaceAll(/--[^\n]*|\/\*[^]*?\*\/|'(?:[^']|'')*'|\$(\w*)\$[^]*?\$\1\$/g, ' ');
}

/** Whether a read-only transaction may run a function: what it calls has to be checked as well (`callsIn`). */
export function mayRun({ source, language, definer }: OwnerFunction): boolean {
  return (language === 'plpgsql' || language === 'sql') && !definer && !actingWords.test(withoutLiterals(source));
}

/** The names that are called as functions in a source. */
export function callsIn(source: string): readonly string[] {
  return Array.from(withoutLiterals(source).matchAll(/("[^"]+"|[a-z_][\w$]*)\s*\(/gi), ([, name = '']) => plain(name));
}

export function namesIn(source: string): readonly string[] {
  return Array.from(withoutLiterals(source).matchAll(/"[^"]+"|[a-z_][\w$]*/gi), ([name]) => plain(name));
}

const plain = (name: string): string => (name.startsWith('"') ? name.slice(1, -1) : name.toLowerCase());

/**
 * Whether what a function does may depend on the row, on other rows or on the time. A row that it refuses then proves
 * nothing about other rows. Values that it assigns, and a comparison with the key of the row, do not count.
 */
export function dependsOnMore({ source, arguments: parameters }: OwnerFunction): boolean {
  const code = withoutLiterals(source)
    .replaceAll(/(^|;|\b(?:begin|then|else|loop)\b)\s*new\.\w+\s*:?=/gi, '$1 ')
    .replaceAll(/\breturn\s+(?:new|old)\b/gi, ' ')
    .replaceAll(/\bwhere\s+(?:\w+\.)?(?:id|ctid)\s*=\s*(?:new|old)\.(?:id|ctid)\b/gi, ' ');
  const named = new Set(parameters);
  return (
    /\b(?:new|old|from|now|current_(?:date|time|timestamp)|localtime(?:stamp)?|\w+_timestamp|timeofday|random)\b|\$\d/i.test(
      code,
    ) || namesIn(code).some((name) => named.has(name))
  );
}
