import { sqliteReasons } from '../../report/sqlite-reasons.ts';
import { accessSync, constants, existsSync, lstatSync, readlinkSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { makeFolder } from '../../platform/make-folder.ts';
import { currentUser } from '../../platform/current-user.ts';
import { Failure, reasonOf } from '../../errors/failure.ts';

/** Magic numbers of statfs(2), from linux/magic.h and the kernel's documentation of each. */
const networkFileSystems: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x5346414f: 'AFS',
  0x00c36400: 'CephFS',
};
const doubtfulFileSystems: Readonly<Record<number, string>> = {
  0x65735546: 'FUSE',
  0x01021997: '9p',
  0x786f4256: 'VirtualBox shared folder',
};

/**
 * Checks the file system of a SQLite file: file locks are unreliable on network file systems, and possibly on shared
 * folders.
 * @returns a warning, or null
 * @throws Failure `network-file-system`, unless allowed
 */
export function judgeFileSystem(file: string, allowNetworkFs: boolean): string | null {
  const folder = nearestFolder(file);
  const type = Number(BigInt.asUintN(32, BigInt(statfsSync(folder).type)));
  const networked = networkFileSystems[type];
  if (networked !== undefined && !allowNetworkFs) {
    throw new Failure({ kind: 'network-file-system', path: folder, fileSystem: networked });
  }
  const name = networked ?? doubtfulFileSystems[type];
  return name === undefined ? null : sqliteReasons.otherFileSystem(folder, name);
}

/**
 * Creates the folder of a database file if it is missing, and checks that the file can be written.
 * @throws Failure `file-access-denied`
 */
export function prepareFolder(file: string): void {
  try {
    makeFolder(dirname(file));
  } catch (error) {
    throw accessDenied(file, error);
  }
  requireWritable(file);
}

/**
 * Checks that a file, or the folder in which it would be created, can be written. Creates nothing.
 * @throws Failure `file-access-denied`
 */
export function requireWritable(file: string): void {
  try {
    accessSync(nearestFolder(file), constants.R_OK | constants.W_OK | constants.X_OK);
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    else requireLinkTarget(file);
  } catch (error) {
    throw accessDenied(file, error);
  }
}

/** Checks that the folder of a link's target can be written: SQLite creates the target, but no folder. */
function requireLinkTarget(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  const target = resolve(dirname(file), readlinkSync(file));
  accessSync(dirname(target), constants.R_OK | constants.W_OK | constants.X_OK);
}

/** The failure that the current user cannot write a file, or files beside it. */
export function accessDenied(file: string, error: unknown): Failure {
  const problem = { kind: 'file-access-denied', file, user: currentUser(), reason: reasonOf(error) } as const;
  return new Failure(problem, { cause: error });
}

function nearestFolder(path: string): string {
  const folder = dirname(path);
  return existsSync(folder) || folder === dirname(folder) ? folder : nearestFolder(folder);
}
