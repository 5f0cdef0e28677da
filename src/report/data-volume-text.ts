import type { DataVolume } from '../platform/data-volume.ts';

/** Where a volume of the server is mounted for db-init to look at. */
export const dataVolume = '/db-data';

/**
 * What the volume of a server says that does not come up.
 * @param majors of PostgreSQL's client programs that are here
 */
export function describeDataVolume(found: DataVolume, majors: readonly number[]): readonly string[] {
  switch (found.kind) {
    case 'not-mounted':
      return [];
    case 'empty':
      return [
        `The volume at ${dataVolume} is empty: a server that starts on it makes a new, empty database. If there should be data, another volume holds it.`,
      ];
    case 'unreadable':
      return [
        `${[dataVolume, found.path].filter((part) => part !== '').join('/')} cannot be read (${found.code}): the data of a server belongs to ` +
          'the server alone. Let root look: docker compose run --user 0 --cap-add DAC_READ_SEARCH, with the same mount.',
      ];
    case 'foreign':
      return [
        `The volume at ${dataVolume} holds no data of PostgreSQL (no PG_VERSION), but ${found.names.join(', ')}: another volume or folder is mounted.`,
      ];
    case 'data':
      return describeData(found, majors);
  }
}

function describeData(
  { major, path }: Extract<DataVolume, { kind: 'data' }>,
  majors: readonly number[],
): readonly string[] {
  const newest = Math.max(0, ...majors);
  const place = /^\d+\/docker$/.test(path) ? '/var/lib/postgresql' : '/var/lib/postgresql/data';
  return [
    `The volume at ${dataVolume} holds the data of PostgreSQL ${major}${path === '' ? '' : ` (in ${path})`}: only a server of this major ` +
      `reads it. The service db needs an image of it, such as postgres:${major}-alpine, with the volume at ${place}. The next major: docs/runbooks/next-major.md.`,
    ...(major > newest
      ? [
          newest === 0
            ? 'There are no client programs of PostgreSQL here: a backup is not possible from here.'
            : `The newest client programs here are those of ${newest}: a newer image of db-init is needed for backups of it.`,
        ]
      : []),
  ];
}
