import { withDefaults } from './interpolation.ts';
import { mapOf, textOf } from './yaml.ts';

/** A mount of a service. */
export interface Mount {
  readonly target: string;
  /** Whether it is a folder or file of the host, not a named volume. */
  readonly bind: boolean;
  readonly readOnly: boolean;
  /** As written in the file. */
  readonly written: unknown;
}

/** Parses `source:target:mode`, `target`, or the long form. */
export function parseMount(written: unknown): Mount {
  const short = textOf(written);
  if (short === null) {
    const long = mapOf(written);
    const target = withDefaults(textOf(long['target']) ?? '');
    return {
      target: withoutSlash(target),
      bind: textOf(long['type']) === 'bind',
      readOnly: textOf(long['read_only']) === 'true',
      written,
    };
  }
  // a default in the text may contain colons
  const parts = withDefaults(short).split(':');
  const [source = '', target = source, mode = ''] = parts;
  return {
    target: withoutSlash(target),
    bind: parts.length > 1 && /^[./~]/.test(source),
    readOnly: mode.split(',').includes('ro'),
    written,
  };
}

const withoutSlash = (path: string): string => path.replace(/(?<=.)\/+$/, '');

/** Replaces the source of a mount if it is a relative path. */
export function changeSource(written: unknown, change: (path: string) => string): unknown {
  const short = textOf(written);
  if (short !== null) return short.startsWith('.') ? change(short) : short;
  const source = textOf(mapOf(written)['source']);
  return source?.startsWith('.') === true ? { ...mapOf(written), source: change(source) } : written;
}

/**
 * Prefixes a path with a folder. An absolute path, or one that begins with a variable, stays unchanged.
 * @param folder the relative path to the folder in which `path` is valid
 */
export const pathFrom = (folder: string, path: string): string =>
  /^[/~$]/.test(path) ? path : `${folder}/${path.replace(/^\.\/+/, '')}`;
