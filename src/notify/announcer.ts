import type { NotificationSettings, Recipient } from '../config/notification.ts';
import type { Log } from '../report/log.ts';
import {
  describeStatus,
  cutShort,
  type Message,
  noAnswer,
  describeNotNotified,
  stoppedWaiting,
  describeNotified,
  withoutRows,
} from '../report/run-end.ts';
import { type JsonObject, createRedactor, renderJson } from '../report/output.ts';
import { printableLines } from '../platform/printable.ts';

/** The end of a run, for the operator. */
export interface RunMessage extends Message {
  readonly outcome: 'failure' | 'change' | 'nothing';
  /** The report of the run, for webhooks. */
  readonly report: JsonObject;
}

export interface Announcer {
  /** Sends the messages for this end of a run, and logs success or failure. Never throws. */
  end(ending: RunMessage, how: { readonly log: Log; readonly secrets: readonly string[] }): Promise<void>;
}

/** The longest time in milliseconds, beginning and end together. */
const timeouts = { start: 2000, end: 3000 };

/** The most bytes of an ntfy message; a longer one becomes an attachment, or is refused. */
const maxNtfyBytes = 4096;

/**
 * Opens the announcer at the beginning of a run, and pings that it began. It waits for the answer only at the end.
 * @param signal aborts the waiting at once
 * @param limits for tests
 */
export function openAnnouncer(settings: NotificationSettings, signal: AbortSignal, limits = timeouts): Announcer {
  const { recipients, on, ping } = settings;
  const started = ping === null ? null : deliver({ recipient: ping, suffix: '/start' }, signal, limits.start);
  return {
    async end({ outcome, title, text, report }, { log, secrets }) {
      for (const fault of settings.faults) log.warn(fault);
      const clean = createRedactor(secrets);
      const shown = (words: string): string => clean(printableLines(withoutRows(words)));
      const deliveries: Delivery[] = [];
      if (outcome === 'failure' || on === 'always' || (on === 'change' && outcome === 'change')) {
        for (const recipient of recipients) {
          deliveries.push(
            recipient.kind === 'ntfy'
              ? { recipient, headers: ntfyHeaders(shown(title), outcome), body: shortenForNtfy(shown(text)) }
              : {
                  recipient,
                  headers: { 'content-type': 'application/json' },
                  body: renderJson({ title, text: printableLines(text), ...report }, (words) =>
                    clean(withoutRows(words)),
                  ),
                },
          );
        }
      }
      if (ping !== null) {
        // the end must not be sent before the beginning
        await started;
        const failed = outcome === 'failure';
        deliveries.push({ recipient: ping, suffix: failed ? '/fail' : '', body: shown(failed ? text : title) });
      }
      await Promise.all(
        deliveries.map(async (delivery) => {
          const failure = await deliver(delivery, signal, limits.end);
          const { shown: place } = delivery.recipient;
          if (failure === null) log.info(describeNotified(place));
          else log.warn(describeNotNotified(place, shown(failure)));
        }),
      );
    },
  };
}

interface Delivery {
  readonly recipient: Recipient;
  /** The suffix for the path of the address. */
  readonly suffix?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends one message. @param milliseconds the time limit @returns null, or why it failed, as a clause */
async function deliver(
  { recipient: { url, authorization }, suffix = '', headers = {}, body = '' }: Delivery,
  signal: AbortSignal,
  milliseconds: number,
): Promise<string | null> {
  const address = new URL(url);
  if (suffix !== '') address.pathname = `${address.pathname.replace(/\/+$/, '')}${suffix}`;
  // a timer that keeps the process alive: fetch alone does not, and may never settle if the other side closes the
  // connection at once
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), milliseconds);
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'user-agent': 'db-init',
        ...(authorization === null ? {} : { authorization }),
        ...headers,
      },
      body,
      // do not send the content to any other address
      redirect: 'manual',
      signal: AbortSignal.any([signal, deadline.signal]),
    });
    await response.body?.cancel();
    return response.ok ? null : describeStatus(response.status);
  } catch (error) {
    if (signal.aborted) return stoppedWaiting;
    return deadline.signal.aborted ? noAnswer(milliseconds) : reasonOfFetch(error);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The message of fetch is only "fetch failed". The reason is in its cause, or, for several addresses of a host, in the
 * errors of the cause.
 */
function reasonOfFetch(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.message === '') return reasonOfFetch(cause.errors[0]);
  return cause instanceof Error ? reasonOfFetch(cause) : error.message;
}

/**
 * The headers of an ntfy message (https://docs.ntfy.sh/publish/): title, priority and tags. A title that is not ASCII
 * is encoded as in mails (RFC 2047).
 */
function ntfyHeaders(title: string, outcome: RunMessage['outcome']): Readonly<Record<string, string>> {
  const line = title.replaceAll(/\s+/g, ' ');
  const isAscii = /^[ -~]*$/.test(line);
  return {
    title: isAscii ? line : `=?UTF-8?B?${Buffer.from(line).toString('base64')}?=`,
    priority: outcome === 'failure' ? 'high' : 'default',
    tags: outcome === 'failure' ? 'rotating_light' : 'white_check_mark',
  };
}

/** Shortens a text to what ntfy accepts, at the end of a line. */
function shortenForNtfy(text: string): string {
  if (Buffer.byteLength(text) <= maxNtfyBytes) return text;
  const lines = text.split('\n');
  const kept: string[] = [];
  let length = Buffer.byteLength(cutShort);
  for (const line of lines) {
    length += Buffer.byteLength(line) + 1;
    if (length > maxNtfyBytes) break;
    kept.push(line);
  }
  return [...kept, cutShort].join('\n');
}
