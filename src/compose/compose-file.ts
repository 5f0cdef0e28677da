import type { ComposeFault } from '../report/command-line.ts';
import { mergeMaps, normalizeService, servicesOf } from './merge.ts';
import { parseService, type Service } from './service.ts';
import { isMap, mapOf, parseYaml, textOf, type YamlMap } from './yaml.ts';

/** A compose file, or several merged ones. */
export interface ComposeFiles {
  readonly services: readonly Service[];
  /** Names of the declared volumes. */
  readonly volumes: readonly string[];
  /** Files that `include` and `extends` name and that were not read. */
  readonly unread: readonly string[];
}

/** The text of a file. */
export interface NamedText {
  /** The name for messages; null for standard input. */
  readonly name: string | null;
  readonly text: string;
}

/** Reads a file that another one names; null if that fails. */
export type ReadOther = (file: string, from: string | null) => NamedText | null;

/** The input is not a compose file. */
export class NoComposeFile extends Error {
  /** Null for standard input. */
  readonly file: string | null;
  readonly fault: ComposeFault;

  constructor(file: string | null, fault: ComposeFault, options?: ErrorOptions) {
    super(fault.kind, options);
    this.file = file;
    this.fault = fault;
  }
}

/**
 * Parses compose files and merges them in their order.
 * @throws NoComposeFile
 */
export function parseComposeFiles(texts: readonly NamedText[], readOther: ReadOther): ComposeFiles {
  const unread = new Set<string>();
  const files = texts.flatMap((given) =>
    parseFile(given).map((file) => {
      for (const included of includesOf(file)) unread.add(included);
      const services = servicesOf(file);
      return {
        ...file,
        services: mapValues(services, (service) => extended(service, services, given, readOther, unread)),
      };
    }),
  );
  const merged = files.reduce<YamlMap>(mergeMaps, {});
  return {
    services: Object.entries(mapOf(merged['services'])).map(([name, service]) => parseService(name, mapOf(service))),
    volumes: Object.keys(mapOf(merged['volumes'])),
    unread: [...unread],
  };
}

/** The documents of a file, which compose merges like several files. */
function parseFile({ name, text }: NamedText): readonly YamlMap[] {
  let documents: readonly unknown[];
  try {
    documents = parseYaml(text);
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new NoComposeFile(name, { kind: 'no-yaml', reason: reason.replace(/[:.]$/, '') }, { cause: error });
  }
  const files = documents.filter(isMap);
  if (!files.some((file) => isMap(file['services']))) throw new NoComposeFile(name, { kind: 'no-services' });
  return files;
}

function includesOf(file: YamlMap): readonly string[] {
  const includes = Array.isArray(file['include']) ? file['include'] : [];
  return includes.map((entry: unknown) => textOf(entry) ?? textOf(mapOf(entry)['path']) ?? 'include');
}

/** A service merged with the services that it extends. A cycle of `extends` is cut. */
function extended(
  service: YamlMap,
  services: YamlMap,
  from: NamedText,
  readOther: ReadOther,
  unread: Set<string>,
  depth = 0,
): YamlMap {
  const { extends: base, ...own } = service;
  const name = textOf(base) ?? textOf(mapOf(base)['service']);
  if (name === null || depth > 20) return own;
  const file = textOf(mapOf(base)['file']);
  if (file === null) {
    return mergeMaps(extended(mapOf(services[name]), services, from, readOther, unread, depth + 1), own);
  }
  const other = readOther(file, from.name);
  if (other === null) {
    unread.add(file);
    return own;
  }
  const others = parseFile(other).map(servicesOf).reduce(mergeMaps, {});
  const found = normalizeService(mapOf(others[name]));
  return mergeMaps(extended(found, others, other, readOther, unread, depth + 1), own);
}

const mapValues = (map: YamlMap, change: (value: YamlMap) => YamlMap): YamlMap =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(mapOf(value))]));
