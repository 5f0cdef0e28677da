import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Whether another process has a file open. A program between two transactions holds no lock, so SQLite does not notice
 * it, but after a swap it would write to the former file.
 */
export type OpenFileHolders = 'none' | 'some' | 'unknown';

/**
 * Queries the kernel about processes that have a file open.
 *
 * /proc shows the processes of this container; only root sees the open files of other users. The kernel grants a write
 * lease only if no other process, in any container, has the file open (fcntl(2), F_SETLEASE). A lease needs three
 * conditions: this process does not have the file open, the file system supports leases, and this user owns the file.
 */
export function findOpenFileHolders(file: string): OpenFileHolders {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return 'none';
  const isHeldBy = (pid: string): boolean => isOpenIn(pid, basename(file), stats);
  if (processes().some((pid) => Number(pid) !== process.pid && isHeldBy(pid))) return 'some';
  const told = isHeldBy('self') ? 'unknown' : requestLease(file);
  return told === 'unknown' && seesAllProcesses() ? 'none' : told;
}

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

const processes = (): readonly string[] => list('/proc').filter((name) => /^\d+$/.test(name));

function isOpenIn(pid: string, name: string, identity: Identity): boolean {
  return list(`/proc/${pid}/fd`).some((fd) => isSameFile(`/proc/${pid}/fd/${fd}`, name, identity));
}

/** Compares the name first: `stat` of a file on an unavailable network file system may hang. */
function isSameFile(link: string, name: string, { dev, ino }: Identity): boolean {
  try {
    if (basename(readlinkSync(link)) !== name) return false;
    const stats = statSync(link, { bigint: true });
    return stats.dev === dev && stats.ino === ino;
  } catch {
    // the process has just closed the file
    return false;
  }
}

const [granted, refused] = [0, 4];

/**
 * The Perl script that requests a lease: Node.js has no API for leases, and every Debian has Perl. F_SETLEASE is 1024,
 * F_WRLCK 1, EAGAIN 11. The script tries for one second, because a program may have the file open only briefly.
 */
const leaseScript = `
  open(my $file, '+<', $ARGV[0]) or exit 3;
  for (1 .. 10) {
    exit ${granted} if fcntl($file, 1024, 1);
    exit 3 if $! != 11;
    select(undef, undef, undef, 0.1);
  }
  exit ${refused};`;

function requestLease(file: string): OpenFileHolders {
  const { status } = spawnSync('perl', ['-e', leaseScript, '--', file], { stdio: 'ignore', timeout: 10_000 });
  if (status === granted) return 'none';
  return status === refused ? 'some' : 'unknown';
}

/** The kernel's name of the initial PID namespace, which contains all others (PROC_PID_INIT_INO). */
const initialPidNamespace = 'pid:[4026531836]';

/** Whether /proc shows all processes of the machine with their open files. */
function seesAllProcesses(): boolean {
  try {
    return process.getuid?.() === 0 && readlinkSync('/proc/self/ns/pid') === initialPidNamespace;
  } catch {
    return false;
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // no /proc, or a process that has ended or belongs to another user
    return [];
  }
}
