import { dirname, relative, resolve } from 'node:path';
import type { ComposeFault } from '../report/command-line.ts';
import { withDefaults } from './interpolation.ts';
import { mergeMaps, servicesOf } from './merge.ts';
import { beginsWithVariable, changeSource, type Mount, pathFrom } from './mount.ts';
import { envFilePath, type EnvFiles, parseService, type Service } from './service.ts';
import { isMap, listOf, mapOf, parseYaml, textOf, type YamlMap } from './yaml.ts';

/** A compose file, or several merged ones. */
export interface ComposeFiles {
  readonly services: readonly Service[];
  /** Names of the declared volumes. */
  readonly volumes: readonly string[];
  /** Files that `include` and `extends` name and that were not read. */
  readonly unread: readonly string[];
  /** Paths of files in other folders that begin with a variable, so that their base is uncertain. */
  readonly uncertain: readonly string[];
}

/** A file: its name and its text. */
export interface NamedText {
  /** The name for messages; null for standard input. */
  readonly name: string | null;
  readonly text: string;
}

/** Reads a file that another file names; null if that fails. @param folder the base of relative paths */
export type ReadOther = (path: string, folder: string) => NamedText | null;

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

/** The folder of a file, and the values that all files of one parse share. */
interface FileContext {
  /** The base of relative paths; null for standard input: then no other file can be read. */
  readonly folder: string | null;
  readonly readOther: ReadOther;
  readonly unread: Set<string>;
  readonly uncertain: Set<string>;
  /** The number of `include` and `extends` that led to this file; a limit ends cycles. */
  readonly depth: number;
}

const maxDepth = 20;

/**
 * Parses compose files and merges them in their order, with the files that they include and extend.
 * @throws NoComposeFile
 */
export function parseComposeFiles(texts: readonly NamedText[], readOther: ReadOther): ComposeFiles {
  const first = texts[0]?.name ?? null;
  const folder = first === null ? null : dirname(first);
  const place = { folder, readOther, unread: new Set<string>(), uncertain: new Set<string>(), depth: 0 };
  const merged = texts
    .flatMap((given) => modelsOf(given, place))
    .reduce<YamlMap>((under, over) => mergeMaps(under, over), {});
  const services = Object.entries(mapOf(merged['services'])).map(([name, service]) => [name, mapOf(service)] as const);
  if (services.length === 0 && place.unread.size > 0) {
    throw new NoComposeFile(first, { kind: 'only-includes', files: [...place.unread] });
  }
  return {
    services: withBorrowedMounts(
      services.map(([name, service]) => parseService(name, service, envFilesOf(service, place))),
    ),
    volumes: Object.keys(mapOf(merged['volumes'])),
    unread: [...place.unread],
    uncertain: [...place.uncertain],
  };
}

/** Adds to each service the mounts of the services that its `volumes_from` names. */
function withBorrowedMounts(services: readonly Service[]): readonly Service[] {
  const mountsOf = (names: readonly string[], seen: readonly string[]): readonly Mount[] =>
    names
      .filter((name) => !seen.includes(name))
      .flatMap((name) => {
        const found = services.find((service) => service.name === name);
        if (found === undefined) return [];
        return [...found.mounts, ...mountsOf(found.volumesFrom, [...seen, name])];
      });
  return services.map((service) => ({ ...service, borrowedMounts: mountsOf(service.volumesFrom, [service.name]) }));
}

/**
 * The documents of a file, each after the documents that it includes. Compose merges several documents like several
 * files.
 */
function modelsOf(given: NamedText, place: FileContext): readonly YamlMap[] {
  return parseFile(given).flatMap((document) => {
    const services = servicesOf(document);
    const extending = mapValues(services, (service) => (isMap(service) ? extended(service, services, place) : service));
    return [...includedBy(document, place), { ...document, services: extending }];
  });
}

/**
 * The included documents. The files of one entry are merged; their paths are relative to `project_directory`, or by
 * default to the folder of the first file.
 */
function includedBy(document: YamlMap, place: FileContext): readonly YamlMap[] {
  return listOf(document['include']).flatMap((entry) => {
    const paths = listOf(textOf(entry) ?? mapOf(entry)['path']).map((path) => textOf(path) ?? '');
    const files = paths.map((path) => read(path, place)).filter((file) => file !== null);
    const first = files[0]?.name ?? null;
    if (first === null || place.folder === null) return [];
    const own = textOf(mapOf(entry)['project_directory']);
    const folder = own === null ? dirname(first) : resolve(place.folder, own);
    const models = files.flatMap((file) => modelsOf(file, { ...place, folder, depth: place.depth + 1 }));
    return models.map((model) => ({
      ...model,
      services: mapValues(mapOf(model['services']), (service) => fromFolder(service, folder, place)),
    }));
  });
}

/** Reads a file that another file names. If that fails, returns null and adds the path to `unread`. */
function read(path: string, { folder, readOther, unread, depth }: FileContext): NamedText | null {
  const file = folder === null || depth > maxDepth ? null : readOther(withDefaults(path), folder);
  if (file === null) unread.add(path);
  return file;
}

/** Parses the documents of a file. @throws NoComposeFile */
function parseFile({ name, text }: NamedText): readonly YamlMap[] {
  let documents: readonly unknown[];
  try {
    documents = parseYaml(text);
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new NoComposeFile(name, { kind: 'no-yaml', reason: reason.replace(/[:.]$/, '') }, { cause: error });
  }
  const files = documents.filter(isMap);
  if (!files.some((file) => isMap(file['services']) || file['include'] !== undefined)) {
    throw new NoComposeFile(name, { kind: 'no-services' });
  }
  return files;
}

/** A service merged with the services that it extends. A cycle of `extends` ends at the deepest level. */
function extended(service: YamlMap, services: YamlMap, place: FileContext): YamlMap {
  const { extends: base, ...own } = service;
  const name = textOf(base) ?? textOf(mapOf(base)['service']);
  if (name === null || place.depth > maxDepth) return own;
  const deeper = { ...place, depth: place.depth + 1 };
  const path = textOf(mapOf(base)['file']);
  if (path === null) return mergeMaps(extended(mapOf(services[name]), services, deeper), own);
  const file = read(path, place);
  if (file === null || file.name === null) return own;
  const others = parseFile(file)
    .map(servicesOf)
    .reduce((under, over) => mergeMaps(under, over), {});
  const folder = dirname(file.name);
  const found = extended(mapOf(others[name]), others, { ...deeper, folder });
  return mergeMaps(mapOf(fromFolder(found, folder, place)), own);
}

/** Changes the relative paths of a service from another folder: they become relative to this file's folder. */
function fromFolder(service: unknown, folder: string, place: FileContext): unknown {
  const way = place.folder === null ? '' : relative(place.folder, folder);
  if (way === '' || !isMap(service)) return service;
  const { volumes, env_file: envFiles, ...others } = service;
  const change = (path: string): string => {
    if (beginsWithVariable(path)) place.uncertain.add(path.replace(/(\}|^\$\w+)([^:]*)(?::.*)?$/, '$1$2'));
    return pathFrom(`./${way}`, path);
  };
  return {
    ...others,
    ...(volumes === undefined ? {} : { volumes: listOf(volumes).map((mount) => changeSource(mount, change)) }),
    ...(envFiles === undefined ? {} : { env_file: listOf(envFiles).map((file) => changeEnvFile(file, change)) }),
  };
}

function changeEnvFile(written: unknown, change: (path: string) => string): unknown {
  const short = textOf(written);
  if (short !== null) return change(short);
  const path = textOf(mapOf(written)['path']);
  return path === null ? written : { ...mapOf(written), path: change(path) };
}

/** The variables of the env files of a service, and the files that cannot be read. */
function envFilesOf(service: YamlMap, { folder, readOther }: FileContext): EnvFiles {
  const variables = new Map<string, string>();
  const unread: string[] = [];
  for (const path of listOf(service['env_file']).map(envFilePath)) {
    const file = folder === null ? null : readOther(withDefaults(path), folder);
    if (file === null) unread.push(path);
    if (file === null) continue;
    for (const line of file.text.split(/\r?\n/)) {
      const [, name, value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:]\s*(.*?)(?:\s+#.*)?\s*$/.exec(line) ?? [];
      if (name !== undefined) variables.set(name, value.replace(/^(["'])(.*)\1$/, '$2'));
    }
  }
  return { variables, unread };
}

const mapValues = (map: YamlMap, change: (value: unknown) => unknown): YamlMap =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
