import { settingFaults } from '../report/setting-faults.ts';
import { collectFindings } from './configuration-error.ts';
import { type Environment, type Setting, type Variables, variablesOf } from './variables.ts';

/** Where a run sends its messages. */
export interface NotificationSettings {
  readonly recipients: readonly Recipient[];
  /** Which runs send messages; each word includes those before it. */
  readonly on: (typeof notifyLevels)[number];
  /** The address that receives the beginning and the end of every run; null for none. */
  readonly ping: Recipient | null;
  /** The invalid parts of these settings, one sentence each. They are warnings, and never stop a run. */
  readonly faults: readonly string[];
}

/** The address and the format of messages. */
export interface Recipient {
  readonly kind: 'ntfy' | 'webhook' | 'ping';
  /** The address as it was given. It may contain a token. */
  readonly given: string;
  /** The address to send to, without user and password. */
  readonly url: URL;
  /** The Authorization header, made of user and password in the address; null without them. */
  readonly authorization: string | null;
  /** The part that messages may show: scheme and host. */
  readonly shown: string;
}

const notifyLevels = ['failure', 'change', 'always'] as const;

/** Reads these settings, even if the rest of the configuration is invalid. Reads secret files. */
export function readNotification(environment: Environment, workingDirectory: string): NotificationSettings {
  const findings = collectFindings();
  const variables = variablesOf(environment, workingDirectory, findings);
  const on = variables.choice('TT_NOTIFY_ON', notifyLevels);
  const recipients = addressesIn(variables, 'TT_NOTIFY_URL').flatMap(
    ({ variable, value }) => readAddress(value, null) ?? findings.fault(variable, settingFaults.noWebAddress) ?? [],
  );
  const [ping, ...more] = addressesIn(variables, 'TT_PING_URL');
  if (more.length > 0) findings.fault('TT_PING_URL', settingFaults.severalAddresses);
  const pinged = ping && (readAddress(ping.value, 'ping') ?? findings.fault(ping.variable, settingFaults.noWebAddress));
  return {
    recipients,
    on,
    ping: pinged ?? null,
    faults: findings.faults.map(({ variable, problem }) => `${variable} ${problem}.`),
  };
}

/**
 * Splits addresses at blanks or commas. An address may contain commas: only a comma before the next address separates.
 */
function addressesIn(variables: Variables, variable: string): readonly Setting[] {
  const found = variables.secret(variable);
  if (found === undefined) return [];
  return found.value
    .split(/\s+|,(?=\s*[a-z][a-z\d+.-]*:\/\/)/i)
    .map((word) => word.replace(/^,+|,+$/g, ''))
    .filter((word) => word !== '')
    .map((value) => ({ variable: found.variable, value }));
}

/** The schemes for ntfy: `ntfy` and `ntfys` are Apprise's. */
const ntfySchemes: ReadonlyMap<string, string> = new Map([
  ['ntfy', 'http'],
  ['ntfys', 'https'],
  ['ntfy+http', 'http'],
  ['ntfy+https', 'https'],
]);

/** @param kind null to detect it by the address @returns null if it is not an address */
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

/** Detects ntfy by the address: ntfy.sh, a host ntfy (a compose service), ntfy.example.org, or a path /ntfy/. */
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

/** The parts of addresses that no message may show: the addresses themselves, and probable tokens in their paths. */
export function secretsOfNotification({ recipients, ping }: NotificationSettings): readonly string[] {
  return [...recipients, ...(ping === null ? [] : [ping])].flatMap(({ given, url, authorization, shown }) => {
    const { pathname, search, searchParams } = url;
    const words = [...pathname.split('/'), ...searchParams.values()];
    const tokens = words.filter((word) => word.length >= 10 && /\d/.test(word));
    const path = `${pathname}${search}`;
    return [
      // an address that is only a host holds no secret
      ...[given, url.href].filter((text) => text.replace(/\/+$/, '') !== shown),
      ...(path.length > 8 ? [path] : []),
      ...tokens,
      ...(authorization ?? '').split(' ').slice(1),
    ];
  });
}
