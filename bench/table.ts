/** The result of a comparison. */
export interface Result {
  readonly what: string;
  readonly ours: number;
  /** The name of the other tool in the table: `node -e 0`. */
  readonly plain: string;
  readonly theirs: number;
  readonly unit: 's' | 'MiB';
  /** null: the row is only for information. */
  readonly limit: Limit | null;
}

/** The limit of a ratio. */
export type Limit =
  /** The ratio of our time or size to theirs. */
  | { readonly kind: 'at most'; readonly ratio: number }
  /** The ratio of our throughput to theirs. */
  | { readonly kind: 'at least'; readonly ratio: number };

/**
 * Other work on the machine may slow one side more than the other. A limit is missed only beyond this tolerance.
 */
const tolerance = 2;

/** One line for each result, below a heading. */
export function renderTable(results: readonly Result[]): string {
  const heading = ['', 'ours', 'plain tool', '', 'ratio', 'limit', ''];
  const rows = [heading, ...results.map(cells)];
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((cell, column) =>
      isFigure(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    ),
  );
  return lines.map((line) => `${line.join('  ').trimEnd()}\n`).join('');
}

const isFigure = (column: number): boolean => [1, 2, 4, 5].includes(column);

function cells(result: Result): readonly string[] {
  const { what, ours, plain, theirs, unit, limit } = result;
  const promised = limit === null ? '' : `${limit.kind === 'at most' ? '≤' : '≥'} ${limit.ratio}`;
  const verdict = limit === null ? '' : shortfall(result) <= 1 ? 'ok' : isBroken(result) ? 'BROKEN' : 'missed';
  return [what, format(ours, unit), format(theirs, unit), plain, ratioOf(result).toFixed(2), promised, verdict];
}

/** Whether a limit is missed by more than noise. */
export function isBroken(result: Result): boolean {
  return shortfall(result) > tolerance;
}

function ratioOf({ ours, theirs, limit }: Result): number {
  return limit?.kind === 'at least' ? theirs / ours : ours / theirs;
}

/** 1 at the limit, more beyond it; 0 without a limit. */
function shortfall(result: Result): number {
  if (result.limit === null) return 0;
  const { ratio, kind } = result.limit;
  return kind === 'at most' ? ratioOf(result) / ratio : ratio / ratioOf(result);
}

function format(value: number, unit: Result['unit']): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`;
}
