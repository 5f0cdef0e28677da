import { existsSync, statSync } from 'node:fs';
import type { Manifest } from '../archive/manifest.ts';
import type { UploadRoot, UploadRootName } from '../config/config.ts';

/** The tables each row of which is about one uploaded file, by the folder that the application writes it to. */
const tablesOf = {
  uploads: ['client_attachments', 'quote_attachments', 'comment_attachments', 'invoice_images', 'quote_images'],
  data_uploads: [],
  project_attachments: ['project_attachments'],
} as const satisfies Record<UploadRootName, readonly string[]>;

/** A folder of uploads that an archive has nothing of, or that a container takes along when it goes. */
export interface AbsentUploads {
  readonly folder: string;
  /** Rows of the database that speak of files there. */
  readonly rows: number;
  readonly why: 'missing' | 'empty' | 'not-mounted';
}

/**
 * Finds the folders whose files the database speaks of and that are not there, hold nothing, or lie in the container
 * itself: TimeTracker's own compose files mount no volume at /app/uploads/project_attachments.
 * @param isMounted whether a folder lies on a volume
 */
export function findAbsentUploads(
  { rows, members }: Pick<Manifest, 'rows' | 'members'>,
  roots: readonly UploadRoot[],
  isMounted: (folder: string) => boolean = liesOutsideContainer,
): readonly AbsentUploads[] {
  return roots.flatMap(({ name, folder }): readonly AbsentUploads[] => {
    const spoken = tablesOf[name].reduce((sum, table) => sum + (rows[table] ?? 0), 0);
    if (spoken === 0) return [];
    if (!existsSync(folder)) return [{ folder, rows: spoken, why: 'missing' }];
    if (!Object.keys(members).some((member) => member.startsWith(`${name}/`))) {
      return [{ folder, rows: spoken, why: 'empty' }];
    }
    return isMounted(folder) ? [] : [{ folder, rows: spoken, why: 'not-mounted' }];
  });
}

/** Outside of a container every folder stays where it is. A volume is another device than the container's root. */
function liesOutsideContainer(folder: string): boolean {
  const isContainer = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
  return !isContainer || statSync(folder).dev !== statSync('/').dev;
}
