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

/** Replaces the source of a mount if it is, or may be, a relative path. */
export function changeSource(written: unknown, change: (path: string) => string): unknown {
  const short = textOf(written);
  if (short !== null) return /^[.$]/.test(short) ? change(short) : short;
  const { type, source: given } = mapOf(written);
  const source = textOf(given);
  const isPath = source !== null && (source.startsWith('.') || (source.startsWith('$') && textOf(type) === 'bind'));
  return isPath ? { ...mapOf(written), source: change(source) } : written;
}

/** A variable at the beginning of a path, and its default if that is a relative path: `${DATA:-./data}`. */
const leadingVariable = /^\$(?:\w+|\{\w+(?:(:?-)(\.[^{}]*)|[^{}]*)\})/;

/**
 * Prefixes a path with a folder. An absolute path stays unchanged; of a path that begins with a variable, only the
 * default is changed, if it is a relative path.
 * @param folder the relative path to the folder in which `path` is valid
 */
export function pathFrom(folder: string, path: string): string {
  if (/^[/~]/.test(path)) return path;
  if (!path.startsWith('$')) return `${folder}/${path.replace(/^\.\/+/, '')}`;
  const [variable = '', , fallback] = leadingVariable.exec(path) ?? [];
  if (fallback === undefined) return path;
  return variable.slice(0, -fallback.length - 1) + pathFrom(folder, fallback) + path.slice(variable.length - 1);
}

/**
 * Whether a path may be relative although its text does not show it: it begins with a variable that has no absolute
 * default, and does not name a volume.
 */
export function beginsWithVariable(path: string): boolean {
  const [variable] = leadingVariable.exec(path) ?? [];
  return variable !== undefined && !/^\$\{\w+:?-[^.]/.test(variable);
}
