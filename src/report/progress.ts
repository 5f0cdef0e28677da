import cliProgress from 'cli-progress';
import type { Log } from './log.ts';
import { formatBytes } from './format.ts';
import type { Output } from './output.ts';

/** Shows the progress of a long piece of work. */
export interface Progress {
  add(amount: number): void;
  to(amount: number): void;
  /** The work has ended, whether it succeeded or not. */
  end(): void;
}

/** Where the progress is shown: on the last line of a terminal, or in the log. */
export interface ProgressOptions {
  /** The name of the work, from `progressLabels`. */
  readonly label: string;
  /** The total amount; null if it is not known beforehand. */
  readonly total: number | null;
  /** `revisions` are few, each may take long, and the log has a line for each: they are told on a terminal alone. */
  readonly unit?: 'bytes' | 'revisions';
  readonly log: Pick<Log, 'info'>;
  readonly output?: Pick<Output, 'line'> | undefined;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

export const progressLabels = {
  receiving: 'Receiving the archive',
  unpacking: 'Unpacking',
  reading: (file: string): string => `Reading ${file}`,
  readingBack: 'Reading the archive back',
  copyingDatabase: 'Copying the database',
  copyingUploads: 'Copying the uploads',
} as const;

/** Milliseconds: shorter work is not reported. */
const quietMilliseconds = 1000;
const betweenLines = 200;
/** Characters. */
const barsize = 20;
const betweenEntries = 5000;

/**
 * Opens the progress of one piece of work. It has no clock of its own: it speaks when some of it is done, with a bar on
 * a terminal several times a second, elsewhere with an entry of the log every few seconds.
 */
export function openProgress(options: ProgressOptions): Progress {
  const { label, total, unit = 'bytes', log, output, now = () => performance.now() } = options;
  const line = output?.line ?? null;
  const started = now();
  let done = 0;
  let next = started + (line === null ? betweenEntries : quietMilliseconds);

  const tell = (): void => {
    if (unit === 'revisions') return line?.(`${label} ${bar(done, total)}${done} of ${total} revisions`);
    const time = now();
    if (time < next || (line === null && isNearlyDone(done, total))) return;
    next = time + (line === null ? betweenEntries : betweenLines);
    const text = describe(done, total, time - started);
    if (line === null) log.info(`${label}: ${text}.`, { bytes: done, total });
    else line(`${label} ${bar(done, total)}${text}`);
  };
  const to = (amount: number): void => {
    done = amount;
    tell();
  };
  return { to, add: (amount) => to(done + amount), end: () => line?.('') };
}

/** `[=====---] `, or nothing if the total is not known. */
function bar(done: number, total: number | null): string {
  if (total === null || total === 0) return '';
  const strings = { barCompleteString: '='.repeat(barsize), barIncompleteString: '-'.repeat(barsize), barGlue: '' };
  return `[${cliProgress.Format.BarFormat(Math.min(done / total, 1), { ...strings, barsize })}] `;
}

/** Whether so little is left that the next message says more than an entry that never comes to 100 %. */
function isNearlyDone(done: number, total: number | null): boolean {
  return total !== null && done > 0.98 * total;
}

/** `1.2 GB of 5.4 GB, 22 %, 40 s left` */
function describe(done: number, total: number | null, elapsed: number): string {
  if (total === null || total === 0) return formatBytes(done);
  // data that grows while it is read must not exceed 100 %
  const share = Math.min(done / total, 1);
  // the remaining time is unknown at the end: the last bytes are flushed, and then verified
  const left = share === 0 || isNearlyDone(done, total) ? '' : `, ${formatTime(((1 - share) / share) * elapsed)} left`;
  return `${formatBytes(done)} of ${formatBytes(total)}, ${Math.floor(share * 100)} %${left}`;
}

function formatTime(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
