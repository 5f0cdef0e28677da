/**
 * Whether no row can pass a CHECK: `CHECK (false)`, `CHECK (1 = 0)`, `CHECK (id <> id)`. NULL passes; conditions that depend
 * on the row are not judged.
 */
export function isNeverTrue(check: string): boolean {
  const inner = /^CHECK\s*(\(.*\))(?: NOT VALID)?$/is.exec(check)?.[1];
  if (inner === undefined || /\bOR\b|\bCASE\b|\bNOT\s*\(|\)\s*(?:[=<>!]|IS\b)/i.test(inner)) return false;
  return inner
    .replaceAll(/[()]/g, ' ')
    .split(/\bAND\b/i)
    .some((part) => isFalse(part.trim().replaceAll(/\s+/g, ' ')));
}

function isFalse(condition: string): boolean {
  if (/^(?:false|0|not true|not 1)$/i.test(condition)) return true;
  const [, left, sign, right] = /^(\S+) ?(=|<>|!=|<|>) ?(\S+)$/.exec(condition) ?? [];
  if (left === undefined || right === undefined) return false;
  if (left === right) return sign !== '=';
  const constant = /^(?:-?\d+|'[^']*'(?:::\w+)?)$/;
  if (!constant.test(left) || !constant.test(right)) return false;
  const [one, other] = [Number(left), Number(right)];
  if (sign === '=') return Number.isNaN(one) || Number.isNaN(other) ? left !== right : one !== other;
  if (sign === '<') return one >= other;
  return sign === '>' && one <= other;
}
