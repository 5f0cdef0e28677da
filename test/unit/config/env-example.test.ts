import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { read } from './read.ts';

const example = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');
const shown = new Map(
  [...example.matchAll(/^#([A-Z_]+)=(.*)$/gm)].map(([, variable = '', value = '']) => [variable, value]),
);

/** What Kubernetes and podman put into the environment of every container. */
const setByOthers: ReadonlySet<string> = new Set(['KUBERNETES_SERVICE_HOST', 'container']);

/** The names of the variables that are looked at when `environment` is read. */
function variablesRead(environment: Record<string, string>): string[] {
  const names = new Set<string>();
  const watched = new Proxy(environment, {
    get(target, name, receiver) {
      names.add(String(name));
      const value: unknown = Reflect.get(target, name, receiver);
      return value;
    },
  });
  read(watched);
  return [...names].filter((name) => !setByOthers.has(name));
}

describe('.env.example', () => {
  it('contains every variable that is read, and no other', () => {
    const used = new Set([
      ...variablesRead({ POSTGRES_HOST: 'db' }),
      ...variablesRead({ DATABASE_URL: 'postgresql://u:p@h/d' }),
    ]);
    expect([...shown.keys()].toSorted()).toEqual([...used].toSorted());
  });

  it('shows the defaults: to set them changes nothing', () => {
    expect(read(Object.fromEntries(shown))).toEqual(read({ POSTGRES_HOST: 'db' }));
  });

  it('can be copied as it is: nothing in it is set', () => {
    expect(example).not.toMatch(/^[^#\n]/m);
  });
});
