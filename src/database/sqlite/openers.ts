import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Whether another process has a file open, as far as /proc tells: those of other containers and other users are not
 * seen. A program that is between two transactions holds no lock by which SQLite would know of it.
 */
export function isOpenElsewhere(file: string): boolean {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return false;
  const others = list('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return others.some((pid) =>
    list(`/proc/${pid}/fd`).some((fd) => isTheSame(`/proc/${pid}/fd/${fd}`, basename(file), stats)),
  );
}

/** The name is compared first: merely to ask for a file on a network that is gone may take forever. */
function isTheSame(link: string, name: string, { dev, ino }: { readonly dev: bigint; readonly ino: bigint }): boolean {
  try {
    if (basename(readlinkSync(link)) !== name) return false;
    const stats = statSync(link, { bigint: true });
    return stats.dev === dev && stats.ino === ino;
  } catch {
    // closed this moment
    return false;
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // no /proc, or a process that ended or belongs to somebody else
    return [];
  }
}
