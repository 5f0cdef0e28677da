import type { Contents } from '../errors/failure.ts';
import { isDebris } from './repacked-layout.ts';
import { databaseMembers, manifestMember } from './manifest.ts';
import { faultOfName } from './entry-names.ts';
import { uploadRootNames } from '../config/config.ts';

/** Names that are told of what nobody knows. */
const told = 3;

/** The parts of PostgreSQL's data directory (manual, "Database File Layout"), by the path that leads to it. */
const dataDirectory =
  /^((?:.*\/)?)(PG_VERSION$|global\/pg_control$|base\/\d+\/|pg_(?:wal|xact|multixact|subtrans|notify)\/|pg_hba\.conf$|postgresql\.conf$)/;

/** What can be restored, or is explained once it is unpacked; the best of it first. */
const backups = [
  /\.zip$/i,
  /(^|\/)db\.dump$/,
  /\.(dump|backup|pgdump|bak)$/i,
  /\.sql(\.gz|\.bz2|\.xz|\.zst)?$/i,
  /\.(db|sqlite3?)$/i,
];

const exported = /(^|\/)((gdpr|filtered)_export_.*|[^/]+\.(csv|xlsx)|backup_\d{8}_\d{6}\.json)$/i;

/**
 * Says what lies in a folder, or in a packed one, by the names alone.
 * @param names relative to it; a folder's may end with a slash
 * @param major of PostgreSQL, where a data directory says it
 */
export function recogniseNames(names: readonly string[], major: number | null = null): Contents {
  // a name that no plain command could bear is none that advice is built on
  const files = names
    .map((name) => name.replace(/^(\.\/)+/, ''))
    .filter((name) => name !== '' && name !== '.' && !isDebris(name) && !/\p{C}/u.test(name) && !faultOfName(name));
  const directory = dataDirectoryIn(files);
  if (directory !== null) return { kind: 'data-directory', path: directory, major };
  const unpacked = folderWith(files, manifestMember, Object.values(databaseMembers));
  if (unpacked !== null) return { kind: 'unpacked-archive', path: unpacked };
  const dump = folderWith(files, 'toc.dat', []);
  if (dump !== null) return { kind: 'dump-directory', path: dump };
  for (const pattern of backups) {
    const found = files.filter((name) => pattern.test(name));
    if (found[0] !== undefined) return { kind: 'backups', paths: [found[0], ...found.slice(1)] };
  }
  const plain = files.filter((name) => !name.endsWith('/'));
  const roots = uploadRootNames.filter((root) => plain.some((name) => name.startsWith(`${root}/`)));
  if (roots.length > 0) return { kind: 'uploads', roots };
  if (plain.length > 0 && plain.every((name) => exported.test(name) || name.endsWith('.json'))) {
    return { kind: 'export' };
  }
  return { kind: 'unknown', count: plain.length, names: plain.slice(0, told) };
}

/** One sign of a data directory proves nothing: every database in it has a PG_VERSION of its own. */
function dataDirectoryIn(files: readonly string[]): string | null {
  const signs = new Map<string, Set<string>>();
  for (const name of files) {
    const [, path, sign] = dataDirectory.exec(name) ?? [];
    if (path !== undefined && sign !== undefined) signs.set(path, (signs.get(path) ?? new Set()).add(sign));
  }
  const found = [...signs].filter(([, { size }]) => size > 1).map(([path]) => path);
  return found.toSorted((one, other) => one.length - other.length)[0] ?? null;
}

/** The path to the nearest folder that holds one file, and one of the others. */
function folderWith(files: readonly string[], wanted: string, others: readonly string[]): string | null {
  const present = new Set(files);
  const folders = files
    .filter((name) => name === wanted || name.endsWith(`/${wanted}`))
    .map((name) => name.slice(0, -wanted.length))
    .filter((folder) => others.length === 0 || others.some((other) => present.has(folder + other)));
  return folders.toSorted((one, other) => one.length - other.length)[0] ?? null;
}
