import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Whether another process has a file open. A program that is between two transactions holds no lock by which SQLite
 * would know of it, but after an exchange it would write to the former file.
 */
export type OpenFileHolders = 'none' | 'some' | 'unknown';

/**
 * Asks the kernel who has a file open, this process aside.
 *
 * /proc shows the processes of this container, those of other users only to root. A write lease is granted to the only
 * opener of a file alone, whatever container the others are in (fcntl(2), F_SETLEASE): it tells the rest, where this
 * process does not have the file open itself, the file system has leases, and the file belongs to this user.
 */
export function findOpenFileHolders(file: string): OpenFileHolders {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return 'none';
  const isHeldBy = (pid: string): boolean => isOpenIn(pid, basename(file), stats);
  if (processes().some((pid) => Number(pid) !== process.pid && isHeldBy(pid))) return 'some';
  const told = isHeldBy('self') ? 'unknown' : askForLease(file);
  return told === 'unknown' && seesEverybody() ? 'none' : told;
}

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

const processes = (): readonly string[] => list('/proc').filter((name) => /^\d+$/.test(name));

function isOpenIn(pid: string, name: string, identity: Identity): boolean {
  return list(`/proc/${pid}/fd`).some((fd) => isTheSame(`/proc/${pid}/fd/${fd}`, name, identity));
}

/** The name is compared first: merely to ask for a file on a network that is gone may take forever. */
function isTheSame(link: string, name: string, { dev, ino }: Identity): boolean {
  try {
    if (basename(readlinkSync(link)) !== name) return false;
    const stats = statSync(link, { bigint: true });
    return stats.dev === dev && stats.ino === ino;
  } catch {
    // closed this moment
    return false;
  }
}

const [granted, refused] = [0, 4];

/**
 * Node.js has no leases, and Perl is a part of every Debian: F_SETLEASE (1024), F_WRLCK (1), EAGAIN (11). Who only looks
 * into the file for a moment is waited for, a second at most.
 */
const lease = `
  open(my $file, '+<', $ARGV[0]) or exit 3;
  for (1 .. 10) {
    exit ${granted} if fcntl($file, 1024, 1);
    exit 3 if $! != 11;
    select(undef, undef, undef, 0.1);
  }
  exit ${refused};`;

function askForLease(file: string): OpenFileHolders {
  const { status } = spawnSync('perl', ['-e', lease, '--', file], { stdio: 'ignore', timeout: 10_000 });
  if (status === granted) return 'none';
  return status === refused ? 'some' : 'unknown';
}

/** What the kernel calls the namespace of processes that every other one lies in (PROC_PID_INIT_INO). */
const outermost = 'pid:[4026531836]';

/** Whether every process is shown in /proc, with the files that it has open. */
function seesEverybody(): boolean {
  try {
    return process.getuid?.() === 0 && readlinkSync('/proc/self/ns/pid') === outermost;
  } catch {
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
