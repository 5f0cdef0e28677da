import { shown } from '../platform/printable.ts';
import { type Manifest, manifestMember } from './manifest.ts';
import { placeOf } from './entry-names.ts';
import type { ArchiveEntry } from './reader.ts';

/** Whether the members of an archive of ours are those that its manifest lists; null if they are. */
export function faultOfManifest(manifest: Manifest, members: readonly ArchiveEntry[]): string | null {
  const present = new Map(members.map((entry) => [entry.name, entry]));
  for (const [name, { size }] of Object.entries(manifest.members)) {
    const entry = present.get(name);
    if (entry === undefined) return `its manifest lists a member that is missing: ${shown(name)}`;
    if (entry.size !== size) return `the member ${shown(name)} has another size than its manifest says`;
  }
  for (const { name } of members) {
    if (name === manifestMember) continue;
    if (!Object.hasOwn(manifest.members, name)) return `its manifest does not list the member ${shown(name)}`;
    const place = placeOf(name);
    if (place?.kind === 'upload' && !manifest.uploads.includes(place.root)) {
      return `its manifest does not list the uploads of ${place.root}`;
    }
  }
  return null;
}
