import { collectFindings } from './configuration-error.ts';
import { type Environment, type Setting, type Variables, variablesOf } from './variables.ts';

/** Whom a run tells how it ended. */
export interface NotificationSettings {
  readonly recipients: readonly Recipient[];
  /** Which runs are told of; each word includes those before it. */
  readonly on: (typeof occasions)[number];
  /** Who is told of the beginning and the end of every run; null for nobody. */
  readonly ping: Recipient | null;
  /** What cannot be used of these settings, a sentence each. It is a warning: it never stops a run. */
  readonly faults: readonly string[];
}

/** Where messages go, and in which form. */
export interface Recipient {
  readonly kind: 'ntfy' | 'webhook' | 'ping';
  /** As it was given. It may hold a token. */
  readonly given: string;
  /** The address to send to, without user and password. */
  readonly url: URL;
  /** The header of that name, made of user and password in the address; null without them. */
  readonly authorization: string | null;
  /** All of it that a message may show: scheme and host. */
  readonly shown: string;
}

const occasions = ['failure', 'change', 'always'] as const;

/** Reads the settings known even where the rest of the configuration cannot be used. Secret files are read. */
export function readNotification(environment: Environment, workingDirectory: string): NotificationSettings {
  const findings = collectFindings();
  const variables = variablesOf(environment, workingDirectory, findings);
  const on = variables.choice('TT_NOTIFY_ON', occasions);
  const recipients = addressesIn(variables, 'TT_NOTIFY_URL').flatMap(
    ({ variable, value }) => readAddress(value, null) ?? findings.fault(variable, unusable) ?? [],
  );
  const [ping, ...more] = addressesIn(variables, 'TT_PING_URL');
  if (more.length > 0) findings.fault('TT_PING_URL', 'holds several addresses: the first one is used');
  const pinged = ping && (readAddress(ping.value, 'ping') ?? findings.fault(ping.variable, unusable));
  return {
    recipients,
    on,
    ping: pinged ?? null,
    faults: findings.faults.map(({ variable, problem }) => `${variable} ${problem}.`),
  };
}

const unusable = 'holds what is no address that begins with http:// or https:// (not shown)';

/** Separated by blanks or commas. An address may have commas of its own: only one before the next address separates. */
function addressesIn(variables: Variables, variable: string): readonly Setting[] {
  const found = variables.secret(variable);
  if (found === undefined) return [];
  return found.value
    .split(/\s+|,(?=\s*[a-z][a-z\d+.-]*:\/\/)/i)
    .map((word) => word.replace(/^,+|,+$/g, ''))
    .filter((word) => word !== '')
    .map((value) => ({ variable: found.variable, value }));
}

/** The schemes that say ntfy: `ntfy` and `ntfys` are Apprise's. */
const ntfySchemes: ReadonlyMap<string, string> = new Map([
  ['ntfy', 'http'],
  ['ntfys', 'https'],
  ['ntfy+http', 'http'],
  ['ntfy+https', 'https'],
]);

/** @param kind null: to be told by the address @returns null if it is no address */
function readAddress(given: string, kind: Recipient['kind'] | null): Recipient | null {
  const [, written = '', rest = ''] = /^([a-z][a-z\d+]*):\/\/(.+)$/i.exec(given) ?? [];
  const byScheme = kind === null ? ntfySchemes.get(written.toLowerCase()) : undefined;
  const scheme = byScheme ?? written.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return null;
  const text = `${scheme}://${rest}`;
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return {
    kind: kind ?? (byScheme !== undefined || isNtfy(url) ? 'ntfy' : 'webhook'),
    given,
    url,
    authorization: credentials === ':' ? null : `Basic ${Buffer.from(credentials).toString('base64')}`,
    shown: url.origin,
  };
}

/** By its name: ntfy.sh, a host called ntfy, as a service of compose is, one called ntfy.example.org, or a path /ntfy/. */
function isNtfy({ hostname, pathname }: URL): boolean {
  return /^ntfy(?:\.|$)/i.test(hostname) || /^\/ntfy\//i.test(pathname);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What no message may show of addresses: all of them, and what in their paths is a token as it seems. */
export function secretsOfNotification({ recipients, ping }: NotificationSettings): readonly string[] {
  return [...recipients, ...(ping === null ? [] : [ping])].flatMap(({ given, url, authorization, shown }) => {
    const { pathname, search, searchParams } = url;
    const words = [...pathname.split('/'), ...searchParams.values()];
    const tokens = words.filter((word) => word.length >= 10 && /\d/.test(word));
    const path = `${pathname}${search}`;
    return [
      // an address that is a host alone holds nothing to hide
      ...[given, url.href].filter((text) => text.replace(/\/+$/, '') !== shown),
      ...(path.length > 8 ? [path] : []),
      ...tokens,
      ...(authorization ?? '').split(' ').slice(1),
    ];
  });
}
