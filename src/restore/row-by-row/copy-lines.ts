import {
  converterOf,
  copyNull,
  copyText,
  type Misfit,
  nullMisfit,
  rangeMisfit,
  type ConversionCounts,
} from '../../database/conversion/convert.ts';
import type { ExactValue, RowReader } from '../../database/sqlite/row-reader.ts';
import type { Conversion } from '../../model/transfer.ts';
import { type MisfitCounts, shortened, shownValue, textOf } from './set-aside.ts';
import type { TableToLoad } from './table-mapping.ts';

/** Why a value of a row does not fit. */
export interface ValueMisfit {
  readonly index: number;
  readonly misfit: Misfit;
}

/** Larger integers are not exact as a `number`. */
const mostExact = Number.MAX_SAFE_INTEGER;

/** The last number of a sequence. */
const lastInteger = '2147483647';

/** Converts rows (their position is the first value) to lines of COPY, or notes what does not fit. */
export function rowConverter(
  { name, columns }: TableToLoad,
  tallies: readonly ConversionCounts[],
  reader: RowReader,
): (row: readonly unknown[]) => string | readonly ValueMisfit[] {
  const names = columns.map((column) => column.name);
  const converters = columns.map((column, index) => ({
    convert: converterOf(column, false),
    trusting: converterOf(column, true),
    counts: tallies[index] ?? new Map<Conversion, number>(),
    escapes: !/^(?:boolean|smallint|integer|bigint|numeric|double|date|time|interval)/.test(column.type),
    notNull: column.notNull,
    numbered: column.numbered,
  }));
  const exactValue = (row: readonly unknown[], index: number): ExactValue =>
    reader.exactRow(name, names.slice(index, index + 1), row[0])[0] ?? null;
  return (row) => {
    let line = '';
    let wrong: ValueMisfit[] | null = null;
    for (let index = 0; index < converters.length; index++) {
      const converter = converters[index];
      if (converter === undefined) continue;
      if (index > 0) line += '\t';
      let value = row[index + 1];
      if (typeof value === 'number' && (value > mostExact || value < -mostExact)) value = exactValue(row, index);
      if (value === null) {
        if (converter.notNull) (wrong ??= []).push({ index, misfit: nullMisfit });
        line += copyNull;
        continue;
      }
      let text = converter.convert(value, converter.counts);
      // U+FFFD stands for invalid bytes, or for itself: the bytes show which
      if (typeof text !== 'string' && text.rule === 'encoding' && typeof exactValue(row, index) === 'string') {
        text = converter.trusting(value, converter.counts);
      }
      // the last number would leave none for the next row, and the application could write no more
      if (converter.numbered && text === lastInteger) text = rangeMisfit;
      if (typeof text !== 'string') (wrong ??= []).push({ index, misfit: text });
      else line += converter.escapes ? copyText(text) : text;
    }
    return wrong ?? `${line}\n`;
  };
}

/** Notes a row that does not fit. @returns its line of COPY for a table of text columns */
export function recordMisfit(
  { name, columns, key }: TableToLoad,
  row: readonly unknown[],
  wrong: readonly ValueMisfit[],
  { reader, misfitCounts }: { readonly reader: RowReader; readonly misfitCounts: MisfitCounts },
): string {
  const names = columns.map((column) => column.name);
  const texts = reader
    .exactRow(name, names, row[0])
    .map((value, index) => textOf(value, columns[index]?.type ?? 'text'));
  const number = key.length === 0 ? `row ${String(row[0])}` : null;
  const keyText = number ?? key.map((column) => texts[names.indexOf(column)] ?? 'NULL').join(', ');
  const reasons = wrong.map(({ index, misfit: { rule } }) => {
    const { name: column = '', type = '', numbered = false } = columns[index] ?? {};
    const expected = numbered && rule === 'range' ? `${type} below ${lastInteger}` : type;
    const kind = { table: name, columns: [column], rule, expected };
    const value = shownValue(name, [column], texts[index] ?? null);
    misfitCounts.add(kind, 1, misfitCounts.wants(kind) ? [{ key: shortened(keyText), value }] : []);
    return `${column}: ${rule} (${expected})`;
  });
  const line = [reasons.join('; '), ...texts].map((text) => (text === null ? copyNull : copyText(text)));
  return `${line.join('\t')}\n`;
}
