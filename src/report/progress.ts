import type { Log } from './log.ts';
import { formatBytes } from './numbers.ts';
import type { Output } from './output.ts';

/** What tells how far a long piece of work has come. */
export interface Progress {
  /** So many more bytes are done. */
  add(bytes: number): void;
  /** So many bytes are done in all. */
  to(bytes: number): void;
  /** It is over, well or not. */
  end(): void;
}

/** Where it is told: on a line of a terminal that is written anew, or in the log. */
export interface ProgressOptions {
  /** What is being done: `Reading the archive back`. */
  readonly label: string;
  /** Bytes in all; null where nobody knows beforehand. */
  readonly total: number | null;
  readonly log: Pick<Log, 'info'>;
  readonly output?: Pick<Output, 'line'> | undefined;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

/** Milliseconds: what is over by then is not worth a word. */
const patience = 1000;
const betweenLines = 200;
const betweenEntries = 5000;

/**
 * Opens the progress of one piece of work. It has no clock of its own: it speaks when bytes come in, on a terminal
 * several times a second, elsewhere with an entry of the log every few seconds.
 */
export function openProgress({ label, total, log, output, now = () => performance.now() }: ProgressOptions): Progress {
  const line = output?.line ?? null;
  const started = now();
  let done = 0;
  let next = started + (line === null ? betweenEntries : patience);

  const tell = (): void => {
    const time = now();
    if (time < next) return;
    next = time + (line === null ? betweenEntries : betweenLines);
    const text = `${label}: ${describe(done, total, time - started)}`;
    if (line === null) log.info(`${text}.`, { bytes: done, total });
    else line(text);
  };
  const to = (bytes: number): void => {
    done = bytes;
    tell();
  };
  return { to, add: (bytes) => to(done + bytes), end: () => line?.('') };
}

/** `1.2 GB of 5.4 GB, 22 %, 40 s left` */
function describe(done: number, total: number | null, elapsed: number): string {
  if (total === null || total === 0) return formatBytes(done);
  // what grows while it is read must not come to more than all
  const share = Math.min(done / total, 1);
  // at the end what is left is not known: the last bytes are written out, and their proof follows
  const left = share === 0 || share > 0.98 ? '' : `, ${formatTime(((1 - share) / share) * elapsed)} left`;
  return `${formatBytes(done)} of ${formatBytes(total)}, ${Math.floor(share * 100)} %${left}`;
}

function formatTime(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
