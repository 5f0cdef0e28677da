import { namesSecret } from '../secret-columns.ts';

const notShown = '(not shown)';

/**
 * What may be shown of the DETAIL of a server's message. In whatever language, it names rows in two ways: by a key,
 * `Key (email)=(a@b) already exists.`, or by all that is in them, `Failing row contains (1, ada, …).`
 */
export function shownDetail(detail: string): string {
  const values = detail.indexOf(')=(');
  if (values !== -1 && !namesSecret(detail.slice(detail.indexOf('('), values))) return detail;
  const from = values === -1 ? detail.indexOf('(') : values + 2;
  if (from === -1) return detail;
  const to = detail.lastIndexOf(')');
  // one without an end was cut off
  return `${detail.slice(0, from)}${notShown}${to < from ? '' : detail.slice(to + 1)}`;
}
