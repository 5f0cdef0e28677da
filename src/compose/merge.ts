import { isMap, listOf, mapOf, textOf, type YamlMap } from './yaml.ts';

/** Lists of a service that a later file replaces instead of extending them. */
const replaced = new Set(['command', 'entrypoint', 'test']);

/** Converts lists that stand for maps to maps, so that files can be merged. */
export function normalizeService(service: YamlMap): YamlMap {
  const { environment, depends_on: dependsOn, networks, volumes, ...others } = service;
  return {
    ...others,
    ...(environment === undefined ? {} : { environment: environmentOf(environment) }),
    ...(dependsOn === undefined ? {} : { depends_on: named(dependsOn) }),
    ...(networks === undefined ? {} : { networks: named(networks) }),
    ...(volumes === undefined ? {} : { volumes: listOf(volumes) }),
  };
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

/** Merges two maps as compose does: maps are merged, lists are joined, other values are replaced. */
export function mergeMaps(under: YamlMap, over: YamlMap): YamlMap {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const former = merged[key];
    const lists = Array.isArray(former) && Array.isArray(value) && !replaced.has(key);
    if (isMap(former) && isMap(value)) merged[key] = mergeMaps(former, value);
    else if (lists) merged[key] = [...listOf(former), ...listOf(value)];
    else if (value !== null || former === undefined) merged[key] = value;
  }
  return merged;
}

/** The services of one file, ready to be merged. */
export function servicesOf(file: YamlMap): YamlMap {
  return Object.fromEntries(
    Object.entries(mapOf(file['services'])).map(([name, service]) => [name, normalizeService(mapOf(service))]),
  );
}
