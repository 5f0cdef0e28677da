import { parseMount } from './mount.ts';
import { isMap, listOf, mapOf, Replacement, textOf, type YamlMap } from './yaml.ts';

/** Lists of a service that a later file replaces instead of extending them. */
const replaced = new Set(['command', 'entrypoint', 'test']);

/** Converts lists that stand for maps to maps, so that files can be merged. */
export function normalizeService(service: YamlMap): YamlMap {
  const changes = { environment: environmentOf, depends_on: named, networks: named, volumes: listOf, env_file: listOf };
  const normalized: Record<string, unknown> = { ...service };
  for (const [key, change] of Object.entries(changes)) {
    if (service[key] !== undefined) normalized[key] = inside(service[key], change);
  }
  return normalized;
}

/** Changes a value; of a `Replacement`, its content. */
function inside(value: unknown, change: (value: unknown) => unknown): unknown {
  if (!(value instanceof Replacement)) return change(value);
  return new Replacement(value.content === undefined ? undefined : change(value.content));
}

/** Converts `- NAME=value` and `- NAME` to a map. A null is a variable that compose takes from its own environment. */
function environmentOf(value: unknown): YamlMap {
  if (isMap(value)) return value;
  return Object.fromEntries(
    listOf(value).map((entry) => {
      const [, name = '', set] = /^([^=]*)(=[^]*)?$/.exec(textOf(entry) ?? '') ?? [];
      return [name, set === undefined ? null : set.slice(1)];
    }),
  );
}

function named(value: unknown): YamlMap {
  if (isMap(value)) return value;
  return Object.fromEntries(listOf(value).map((entry) => [textOf(entry) ?? '', null]));
}

/**
 * Merges two maps as compose does: maps are merged, lists are joined, other values are replaced.
 * @param of the key under which the maps are
 */
export function mergeMaps(under: YamlMap, over: YamlMap, of = ''): YamlMap {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, written] of Object.entries(over)) {
    const replaces = written instanceof Replacement || replaced.has(key);
    const former = replaces ? undefined : merged[key];
    const value = written instanceof Replacement ? written.content : written;
    if (value === undefined) Reflect.deleteProperty(merged, key);
    else if (isMap(value)) merged[key] = mergeMaps(mapOf(former), value, key);
    else if (Array.isArray(former) && Array.isArray(value)) merged[key] = joined(key, former, value);
    // a variable without a value counts: compose takes it from its own environment
    else if (value !== null || former === undefined || of === 'environment') merged[key] = value;
  }
  return merged;
}

/** Joins two lists. A mount replaces an earlier mount at the same path. */
function joined(key: string, former: readonly unknown[], value: readonly unknown[]): readonly unknown[] {
  if (key !== 'volumes') return [...former, ...value];
  const targets = new Map([...former, ...value].map((mount) => [parseMount(mount).target, mount]));
  return [...targets.values()];
}

/** The services of one file, ready to be merged. */
export function servicesOf(file: YamlMap): YamlMap {
  return Object.fromEntries(
    Object.entries(mapOf(file['services'])).map(([name, service]) => [
      name,
      inside(service, (content) => normalizeService(mapOf(content))),
    ]),
  );
}
