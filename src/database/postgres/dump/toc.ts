import { dumpReasons } from '../../../report/dump-reasons.ts';
import { coreTables } from '../../../model/catalog.ts';
import type { ArchiveObject } from '../../../errors/obstacles.ts';
import { ownSchemas } from '../../current-schema.ts';

/** The kinds of entries that db-init treats specially when a dump is loaded; everything else is `other`. */
export type EntryKind =
  'schema' | 'extension' | 'event trigger' | 'comment on an event trigger' | 'unwanted' | 'statistics' | 'other';

/** An entry of a dump's table of contents. */
export interface TocEntry {
  readonly kind: EntryKind;
  /** The name of an extension or event trigger. */
  readonly name: string;
  /** The line that `pg_restore --list` writes and `--use-list` reads. */
  readonly line: string;
}

/** What the user that connects may create on the server. */
export interface ServerCapabilities {
  readonly major: number;
  readonly superuser: boolean;
  /** All available extensions, and whether only a superuser may create each. */
  readonly extensions: ReadonlyMap<string, { readonly superuserOnly: boolean }>;
}

const kinds: readonly (readonly [EntryKind, RegExp])[] = [
  ['schema', /^SCHEMA - (?!public \S*$)/],
  ['extension', /^EXTENSION - (.*?) ?$/],
  // the last word is the owner
  ['event trigger', /^EVENT TRIGGER - (.*) \S+$/],
  ['comment on an event trigger', /^COMMENT - EVENT TRIGGER /],
  // schema public exists already; only the owner of an extension or a schema may comment on it
  ['unwanted', /^(?:SCHEMA - public \S*$|COMMENT - (?:EXTENSION|SCHEMA public) )/],
];

/** Parses the output of `pg_restore --list`: comments, and lines like `7; 2615 16554 SCHEMA - name owner`. */
export function parseToc(list: string): readonly TocEntry[] {
  return list.split('\n').flatMap((line) => {
    const [, oids, description = ''] = /^\d+; (\d+ \d+) (.*)$/.exec(line) ?? [];
    if (oids === undefined) return [];
    // only statistics data has the oids `0 0`; extended statistics in a schema called DATA have others
    const statistics = oids === '0 0' && description.startsWith('STATISTICS DATA ');
    return [{ ...(statistics ? { kind: 'statistics', name: '' } : classify(description)), line }];
  });
}

/** The schema with the most core tables; `public` if none has any. */
export function schemaOf(entries: readonly TocEntry[]): string {
  return schemaWithMostCoreTables(
    entries.flatMap(({ line }) => {
      const [, schema, name] = /^\d+; \d+ \d+ TABLE (.*) (\S+) \S+$/.exec(line) ?? [];
      return schema === undefined || name === undefined ? [] : [{ schema, name }];
    }),
  );
}

/** Like `schemaOf`, for a list of tables. */
export function schemaWithMostCoreTables(
  tables: readonly { readonly schema: string; readonly name: string }[],
): string {
  const counts = new Map<string, number>();
  for (const { schema, name } of tables) {
    if (!coreTables.includes(name) || new RegExp(ownSchemas).test(schema)) continue;
    counts.set(schema, (counts.get(schema) ?? 0) + 1);
  }
  const [best] = [...counts].toSorted(([, one], [, other]) => other - one);
  return best?.[0] ?? 'public';
}

function classify(description: string): Pick<TocEntry, 'kind' | 'name'> {
  for (const [kind, pattern] of kinds) {
    const match = pattern.exec(description);
    if (match !== null) return { kind, name: match[1] ?? '' };
  }
  return { kind: 'other', name: '' };
}

export interface Selection {
  readonly entries: readonly TocEntry[];
  /** The objects that are left out and that the owner may need, in sentences without a full stop. */
  readonly warnings: readonly string[];
}

/** Selects the entries that a server accepts. If an entry depends on one that is left out, pg_restore will fail. */
export function selectEntries(toc: readonly TocEntry[], offers: ServerCapabilities): Selection {
  const warnings: string[] = [];
  const entries = toc.filter((entry) => {
    const reason = reasonToSkip(entry, offers);
    if (typeof reason === 'string') warnings.push(reason);
    return reason === null;
  });
  return { entries, warnings };
}

/** The names of schemas in which a restore without CREATEDB keeps the former database, or has begun to load one. */
const formerSchema = String.raw`tt_(?:before|restore)_\d{8}_\d{6}(?:_\d+)?`;

/**
 * Selects the entries of an untrusted dump to load: all but unneeded ones, and but the former databases that an earlier
 * restore has kept as schemas. `filterScript` checks their SQL.
 */
export function withoutOptional(toc: readonly TocEntry[]): Selection {
  const former = new Set(toc.map(schemaCreatedBy).filter((name) => name !== null));
  const entries = toc.filter((entry) => {
    if (entry.kind === 'unwanted' || entry.kind === 'statistics') return false;
    const [, schema] = inFormerSchema.exec(entry.line) ?? [];
    return schema === undefined || !former.has(schema);
  });
  return { entries, warnings: warnOfFormerSchemas(former) };
}

const schemaCreatedBy = ({ line }: TocEntry): string | null =>
  new RegExp(String.raw`^\d+; \d+ \d+ SCHEMA - (${formerSchema}) `).exec(line)?.[1] ?? null;

/** An entry of a schema (`TABLE DATA schema users owner`), or of the schema itself (`COMMENT - SCHEMA schema owner`). */
const inFormerSchema = new RegExp(
  String.raw`^\d+; \d+ \d+ (?:SCHEMA - |(?:COMMENT|ACL|SECURITY LABEL) - SCHEMA |(?:[A-Z]+ )+)(${formerSchema}) `,
);

const warnOfFormerSchemas = (names: ReadonlySet<string>): readonly string[] =>
  [...names].toSorted().map((name) => dumpReasons.formerSchema(name));

/** An object in a script. `schema`: `-` if it is in none. */
export interface ScriptObject extends ArchiveObject {
  readonly schema: string;
}

/** Whether `withoutOptional` leaves out an object, which is named as in the heading comments of the script. */
export function isOptional(object: Pick<ScriptObject, 'type' | 'name' | 'schema'>): boolean {
  const { type, name } = object;
  if (formerSchemaOf(object) !== null) return true;
  if (type === 'COMMENT') return /^(?:EXTENSION |SCHEMA public$)/.test(name);
  return (type === 'SCHEMA' && name === 'public') || type === 'STATISTICS DATA';
}

/** The warnings that `withoutOptional` gives, for the unknown objects of a script that has no table of contents. */
export const warningsOfScript = (objects: readonly ScriptObject[]): readonly string[] =>
  warnOfFormerSchemas(new Set(objects.map(formerSchemaOf).filter((name) => name !== null)));

function formerSchemaOf({ type, name, schema }: Pick<ScriptObject, 'type' | 'name' | 'schema'>): string | null {
  const own = type === 'SCHEMA' ? name : name.replace(/^SCHEMA /, '');
  const found = schema === '-' ? own : schema;
  return new RegExp(`^${formerSchema}$`).test(found) ? found : null;
}

/** The reason why an entry is left out; undefined if that needs no warning, null if the entry is loaded. */
function reasonToSkip({ kind, name }: TocEntry, offers: ServerCapabilities): string | null | undefined {
  switch (kind) {
    case 'unwanted':
      return undefined;
    case 'statistics':
      // the functions that load statistics exist since PostgreSQL 18; ANALYZE computes them again
      return offers.major >= 18 ? null : undefined;
    case 'extension': {
      const offered = offers.extensions.get(name);
      if (offered === undefined) return dumpReasons.missingExtension(name);
      if (offers.superuser || !offered.superuserOnly) return null;
      return dumpReasons.deniedExtension(name);
    }
    case 'event trigger':
      return offers.superuser ? null : dumpReasons.deniedEventTrigger(name);
    case 'comment on an event trigger':
      return offers.superuser ? null : undefined;
    case 'schema':
    case 'other':
      return null;
  }
}

/** A run of pg_restore: the entries that it loads, as the future owner or as the user that connects. */
export interface Pass {
  readonly entries: readonly TocEntry[];
  readonly as: 'owner' | 'ourselves';
}

/**
 * Splits a load into passes. One pass is enough, unless the connecting user is a superuser and the future owner is not:
 * then the connecting user creates the objects that only a superuser may create.
 */
export function passesOf(entries: readonly TocEntry[], ownerNeedsHelp: boolean): readonly Pass[] {
  const of = (...wanted: readonly EntryKind[]): readonly TocEntry[] =>
    entries.filter(({ kind }) => wanted.includes(kind));
  if (!ownerNeedsHelp || of('extension', 'event trigger').length === 0) return [{ entries, as: 'owner' }];
  const passes: readonly Pass[] = [
    { entries: of('schema'), as: 'owner' },
    { entries: of('extension'), as: 'ourselves' },
    { entries: of('statistics', 'other'), as: 'owner' },
    { entries: of('event trigger', 'comment on an event trigger'), as: 'ourselves' },
  ];
  return passes.filter((pass) => pass.entries.length > 0);
}

/** Entries that are loaded at the same time, each list over a separate connection. */
export type Stage = readonly (readonly TocEntry[])[];

/**
 * Splits a load into consecutive stages, as `pg_restore --jobs` does: schemas, types, tables and sequences; rows;
 * keys and indexes; and the entries that depend on those (foreign keys, comments, positions of sequences).
 * @param jobs the number of parallel connections
 */
export function stagesOf(entries: readonly TocEntry[], jobs: number): readonly Stage[] {
  const stages: Record<StageName, TocEntry[]> = { first: [], rows: [], keys: [], last: [] };
  for (const entry of entries) stages[stageOf(entry, stages.rows.length + stages.keys.length > 0)].push(entry);
  return [[stages.first], distribute(stages.rows, jobs), distribute(stages.keys, jobs), [stages.last]]
    .map((stage) => stage.filter((list) => list.length > 0))
    .filter((stage) => stage.length > 0);
}

type StageName = 'first' | 'rows' | 'keys' | 'last';

/** Whether an entry holds the rows of a table. */
export const isTableData = ({ line }: Pick<TocEntry, 'line'>): boolean => /^\d+; \d+ \d+ TABLE DATA /.test(line);

function stageOf({ line }: TocEntry, begun: boolean): StageName {
  if (isTableData({ line })) return 'rows';
  if (/^\d+; \d+ \d+ (?:CONSTRAINT|INDEX) /.test(line)) return 'keys';
  return begun ? 'last' : 'first';
}

/** Distributes entries in turn, so that the keys of one table, which are adjacent, are created at the same time. */
function distribute(entries: readonly TocEntry[], lists: number): Stage {
  return Array.from({ length: lists }, (_, list) => entries.filter((_entry, at) => at % lists === list));
}
