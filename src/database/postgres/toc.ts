import { coreTables } from '../../model/catalog.ts';
import type { ArchiveObject } from '../../errors/failure.ts';
import { ownSchemas } from '../current-schema.ts';

/** What db-init treats in a way of its own when a dump is loaded; everything else is `other`. */
export type EntryKind =
  'schema' | 'extension' | 'event trigger' | 'comment on an event trigger' | 'unwanted' | 'statistics' | 'other';

/** An entry of a dump's table of contents. */
export interface TocEntry {
  readonly kind: EntryKind;
  /** The name of an extension or event trigger. */
  readonly name: string;
  /** As `pg_restore --list` writes it and `--use-list` reads it. */
  readonly line: string;
}

/** What the server offers to the user who connects. */
export interface ServerOffers {
  readonly major: number;
  readonly superuser: boolean;
  /** Every extension that can be had, and whether only a superuser may create it. */
  readonly extensions: ReadonlyMap<string, { readonly superuserOnly: boolean }>;
}

const kinds: readonly (readonly [EntryKind, RegExp])[] = [
  ['schema', /^SCHEMA - (?!public \S*$)/],
  ['extension', /^EXTENSION - (.*?) ?$/],
  // the owner comes last
  ['event trigger', /^EVENT TRIGGER - (.*) \S+$/],
  ['comment on an event trigger', /^COMMENT - EVENT TRIGGER /],
  // schema public is always there already; only the owner of an extension or of a schema may comment on it
  ['unwanted', /^(?:SCHEMA - public \S*$|COMMENT - (?:EXTENSION|SCHEMA public) )/],
];

/** Parses what `pg_restore --list` says: `7; 2615 16554 SCHEMA - name owner`, beside comments. */
export function parseToc(list: string): readonly TocEntry[] {
  return list.split('\n').flatMap((line) => {
    const [, oids, description = ''] = /^\d+; (\d+ \d+) (.*)$/.exec(line) ?? [];
    if (oids === undefined) return [];
    // the oids tell them from the extended statistics in a schema called DATA
    const statistics = oids === '0 0' && description.startsWith('STATISTICS DATA ');
    return [{ ...(statistics ? { kind: 'statistics', name: '' } : classify(description)), line }];
  });
}

/** The schema with the most core tables in it; `public` if none has any. */
export function schemaOf(entries: readonly TocEntry[]): string {
  const counts = new Map<string, number>();
  for (const { line } of entries) {
    const [, schema, table] = /^\d+; \d+ \d+ TABLE (.*) (\S+) \S+$/.exec(line) ?? [];
    if (schema === undefined || table === undefined || !coreTables.includes(table)) continue;
    if (new RegExp(ownSchemas).test(schema)) continue;
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
  /** What is left out that somebody may miss: sentences without their full stop. */
  readonly warnings: readonly string[];
}

/** Selects what a server can take. What depends on something left out makes the load fail, in pg_restore's words. */
export function selectEntries(toc: readonly TocEntry[], offers: ServerOffers): Selection {
  const warnings: string[] = [];
  const entries = toc.filter((entry) => {
    const reason = whyNot(entry, offers);
    if (typeof reason === 'string') warnings.push(reason);
    return reason === null;
  });
  return { entries, warnings };
}

/** What is loaded of a dump from a stranger: all but what nobody misses. Whether it is harmless is not asked here. */
export function withoutOptional(toc: readonly TocEntry[]): readonly TocEntry[] {
  return toc.filter(({ kind }) => kind !== 'unwanted' && kind !== 'statistics');
}

/** Whether `withoutOptional` leaves out an object, as the script of the dump heads it. */
export function isOptional({ type, name }: Pick<ArchiveObject, 'type' | 'name'>): boolean {
  if (type === 'COMMENT') return /^(?:EXTENSION |SCHEMA public$)/.test(name);
  return (type === 'SCHEMA' && name === 'public') || type === 'STATISTICS DATA';
}

/** Why an entry is left out; `unwanted` if nobody will miss it, null if it is not. */
function whyNot({ kind, name }: TocEntry, offers: ServerOffers): string | null | undefined {
  switch (kind) {
    case 'unwanted':
      return undefined;
    case 'statistics':
      // the functions that load them came with PostgreSQL 18; ANALYZE makes them anew
      return offers.major >= 18 ? null : undefined;
    case 'extension': {
      const offered = offers.extensions.get(name);
      if (offered === undefined) return `the extension ${name} is left out: this server does not have it`;
      if (offers.superuser || !offered.superuserOnly) return null;
      return `the extension ${name} is left out: only a superuser may create it`;
    }
    case 'event trigger':
      return offers.superuser ? null : `the event trigger ${name} is left out: only a superuser may create it`;
    case 'comment on an event trigger':
      return offers.superuser ? null : undefined;
    case 'schema':
    case 'other':
      return null;
  }
}

/** A run of pg_restore: what it loads, and whether as the role that shall own it or as who connects. */
export interface Pass {
  readonly entries: readonly TocEntry[];
  readonly as: 'owner' | 'ourselves';
}

/**
 * Splits a load into passes. One does, unless the role that shall own everything is no superuser while who connects
 * is: then what a superuser must create is created by who connects.
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

/** Entries that are loaded at the same time, each list over a connection of its own. */
export type Stage = readonly (readonly TocEntry[])[];

/**
 * Splits a load into stages, one after the other, as pg_restore --jobs does: everything that has to be there first; the
 * rows of tables; keys and indexes; and what refers to these (foreign keys, comments, positions of sequences).
 * @param jobs connections at work at the same time
 */
export function stagesOf(entries: readonly TocEntry[], jobs: number): readonly Stage[] {
  const stages: Record<StageName, TocEntry[]> = { first: [], rows: [], keys: [], last: [] };
  for (const entry of entries) stages[stageOf(entry, stages.rows.length + stages.keys.length > 0)].push(entry);
  return [[stages.first], deal(stages.rows, jobs), deal(stages.keys, jobs), [stages.last]]
    .map((stage) => stage.filter((list) => list.length > 0))
    .filter((stage) => stage.length > 0);
}

type StageName = 'first' | 'rows' | 'keys' | 'last';

/** Whether an entry is the rows of a table. */
export const isTableData = ({ line }: Pick<TocEntry, 'line'>): boolean => /^\d+; \d+ \d+ TABLE DATA /.test(line);

function stageOf({ line }: TocEntry, begun: boolean): StageName {
  if (isTableData({ line })) return 'rows';
  if (/^\d+; \d+ \d+ (?:CONSTRAINT|INDEX) /.test(line)) return 'keys';
  return begun ? 'last' : 'first';
}

/** Deals entries out in turn, so that keys of one table, which stand together, are made at the same time. */
function deal(entries: readonly TocEntry[], lists: number): Stage {
  return Array.from({ length: lists }, (_, list) => entries.filter((_entry, at) => at % lists === list));
}
