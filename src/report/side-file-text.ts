import type { SideFileFault } from '../model/state.ts';
import { restoring } from './next-steps.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import { shellWord } from './shell.ts';

const names = { '-wal': 'write-ahead log', '-journal': 'rollback journal' } as const;

/** Why a SQLite file is not opened beside a log that is not its own. */
export function describeStaleSideFile(file: string, fault: SideFileFault, commands: Commands): Notice {
  const log = file + fault.side;
  const logs = [log, ...(fault.side === '-wal' ? [`${file}-shm`] : [])];
  const move = logs.map(
    (path) => `if [ -e ${shellWord(path)} ]; then mv ${shellWord(path)} ${shellWord(`${path}.stale`)}; fi`,
  );
  return {
    title: `A ${names[fault.side]} that is not its own lies beside the database: ${file}`,
    happened: [
      `SQLite would write ${log} into ${file} at the first access, and that would spoil it: ${whatIsWrong(fault)}.`,
      'It is probably left of another copy of the database: one that lay here before, or one that this file was copied over.',
    ],
    safe: 'the file and what lies beside it are unchanged, to the byte.',
    options: [
      `Stop the application, move the ${names[fault.side]} away, then start again.\n${commands.stop}\n${commands.script(move.join('; '))}\n${commands.gate}`,
      `If the file was copied while the application wrote to it, copy it again with the application stopped, and ${fault.side} with it.`,
      restoring('Or move it away as above, and restore a backup', commands),
    ],
  };
}

function whatIsWrong(fault: SideFileFault): string {
  switch (fault.kind) {
    case 'mismatch':
      return fault.reason;
    case 'damages':
      return `the result is damaged (${fault.reason})`;
    case 'loses':
      return `the result has lost ${fault.tables.join(', ')}`;
  }
}

/** That a transaction that was cut off is recovered, and where the files from before are. */
export function describeKeptCopies(file: string, folder: string): string {
  return `A transaction that was cut off waits beside ${file}: SQLite recovers it now. The files as they were are kept in ${folder}, those of the last two times`;
}
