/** A decimal number read from text: ±`digits` × 10^-`scale`. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly scale: number;
}

/** PostgreSQL's limits of a numeric (manual, "Numeric Types"): digits before and after the decimal point. */
const [mostBefore, mostAfter] = [131_072, 16_383];

/** Reads a decimal number; null for any other text. Spaces around it are ignored, as in PostgreSQL. */
export function parseDecimal(text: string): Decimal | null {
  const [, sign, whole = '', fraction = '', exponent] =
    /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?\s*$/.exec(text) ?? [];
  if (whole === '' && fraction === '') return null;
  const scale = fraction.length - Number(exponent ?? 0);
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  return { negative: sign === '-', digits, scale };
}

/**
 * Prints a decimal as PostgreSQL prints a `numeric` without a declared scale: with all the digits that were written.
 * @returns null if a numeric cannot hold it
 */
export function printDecimal({ negative, digits, scale }: Decimal): string | null {
  const before = digits.length - scale;
  if (digits !== '0' && (before > mostBefore || scale > mostAfter)) return null;
  if (scale <= 0) return sign(negative, digits) + (digits === '0' ? '0' : digits + '0'.repeat(-scale));
  if (scale > mostAfter) return null;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign(negative, digits)}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** A number with a declared scale, and whether rounding has lost digits other than 0. */
export interface ScaledNumber {
  readonly text: string;
  readonly rounded: boolean;
}

/**
 * Prints a decimal with `scale` digits after the point, rounded half away from zero, as PostgreSQL rounds.
 * @returns null if the result has more than `precision` digits
 */
export function printScaled(decimal: Decimal, precision: number, scale: number): ScaledNumber | null {
  const surplus = decimal.scale - scale;
  const rounds = surplus > 0;
  // too many digits: checked first, so that a large exponent is not written out as zeros
  if (!rounds && decimal.digits !== '0' && decimal.digits.length - surplus > precision) return null;
  const units = rounds ? roundOff(decimal.digits, surplus) : decimal.digits + '0'.repeat(-surplus);
  const digits = units.replace(/^0+(?=\d)/, '');
  if (digits.length > precision) return null;
  const text = printDecimal({ negative: decimal.negative, digits, scale }) ?? digits;
  const lost = rounds && /[1-9]/.test(decimal.digits.slice(-surplus));
  return { text, rounded: lost };
}

function roundOff(digits: string, surplus: number): string {
  if (surplus > digits.length) return '0';
  const kept = digits.slice(0, digits.length - surplus);
  const next = digits.charAt(digits.length - surplus);
  return next >= '5' ? String(BigInt(kept === '' ? '0' : kept) + 1n) : kept === '' ? '0' : kept;
}

const sign = (negative: boolean, digits: string): string => (negative && /[1-9]/.test(digits) ? '-' : '');

/** Prints a floating-point number as PostgreSQL prints a `double precision`: shortest digits, exponent from 1e15. */
export function printDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 15) return plain(value);
  const places = String(Math.abs(power)).padStart(2, '0');
  return `${mantissa}e${power < 0 ? '-' : '+'}${places}`;
}

/** JavaScript prints numbers from 1e-6 to 1e21 without an exponent; this is called for 1e-4 to 1e15 only. */
const plain = String;
