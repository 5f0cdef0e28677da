import { namesSecret } from '../secret-columns.ts';

const notShown = '(not shown)';

/**
 * The part of a server's DETAIL that may be shown. In every language it names a row in one of two ways: by a key
 * (`Key (email)=(a@b) already exists.`), or with all its values (`Failing row contains (1, ada, …).`), which are
 * removed.
 */
export function shownDetail(detail: string): string {
  const values = detail.indexOf(')=(');
  if (values !== -1 && !namesSecret(detail.slice(detail.indexOf('('), values))) return detail;
  const from = values === -1 ? detail.indexOf('(') : values + 2;
  if (from === -1) return detail;
  const to = detail.lastIndexOf(')');
  // without a closing parenthesis the message was cut off
  return `${detail.slice(0, from)}${notShown}${to < from ? '' : detail.slice(to + 1)}`;
}
