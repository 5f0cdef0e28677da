import { lstat, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Destination } from '../backup/destination.ts';
import { codeOf, hasCode } from '../errors/error-code.ts';
import { Failure } from '../errors/failure.ts';
import type { CommandContext } from './context.ts';
import { outputTexts } from '../report/command-line.ts';

/**
 * Where a backup goes: the folder or the new file that `--output` names, else the backup folder.
 * @throws Failure `usage`
 */
export async function destinationOf({ config, arguments: { options } }: CommandContext): Promise<Destination> {
  const given = options.get('output');
  if (given === undefined) return { folder: config.backupFolder, file: null };
  if (given === '') throw refuse(outputTexts.empty);
  const path = resolve(given);
  const there = await kindOf(path);
  if (there === 'folder') return { folder: path, file: null };
  if (there === 'file') throw refuse(outputTexts.exists(path));
  // writing through the link would create a file at another path
  if (there === 'dangling link') throw refuse(outputTexts.danglingLink(path));
  const folder = dirname(path);
  if (given.endsWith('/')) throw refuse(outputTexts.noFolder(path));
  if ((await kindOf(folder)) !== 'folder') throw refuse(outputTexts.noFolder(folder));
  return { folder, file: path };
}

const refuse = (message: string): Failure => new Failure({ kind: 'usage', message });

async function kindOf(path: string): Promise<'folder' | 'file' | 'dangling link' | null> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return (await lstat(path).catch(() => null)) && 'dangling link';
    throw refuse(outputTexts.unreadable(path, String(codeOf(error))));
  }
}
