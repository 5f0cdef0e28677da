import { connectionReasons, deniedReasons, passingReasons } from '../../report/connection-reasons.ts';
import { codeOf } from '../../errors/error-code.ts';

/** What a failed attempt to connect means for the next one. */
export type ConnectionFailure =
  /** Usually temporary: the server is starting, or the host name does not resolve yet. */
  | {
      readonly kind: 'passing';
      readonly reason: string;
      /** Whether a limit is reached: `max_connections`, or the connection limit of a role or a database. */
      readonly full?: boolean;
    }
  /** The server answers, but the database does not exist; it may still be created. */
  | { readonly kind: 'no-such-database'; readonly reason: string }
  /** The database exists and allows no connections: during a swap, or permanently. */
  | { readonly kind: 'closed'; readonly reason: string }
  /** Waiting does not help: credentials, rights, TLS. */
  | { readonly kind: 'denied'; readonly reason: string };

/** Classifies what `pg` threw while connecting. Unknown failures are `passing`: the wait timeout ends them. */
export function classifyConnectionFailure(error: unknown): ConnectionFailure {
  const failure = firstOf(error);
  const message = failure instanceof Error ? failure.message : String(failure);
  const code = codeOf(failure) ?? '';
  if (code === '3D000') return { kind: 'no-such-database', reason: message };
  if (code === '55000') return { kind: 'closed', reason: message };
  const refusal = deniedReasons[code];
  if (refusal !== undefined) return { kind: 'denied', reason: `${refusal} (${message})` };
  // pg reports the next two errors without a code
  if (/server does not support SSL/i.test(message)) {
    return { kind: 'denied', reason: connectionReasons.noTls };
  }
  if (/^SASL|password must be a string|no password/i.test(message)) {
    return { kind: 'denied', reason: connectionReasons.password(message) };
  }
  // pg's message if the server answers its TLS request with neither `S` nor `N`
  if (/error establishing an SSL connection/i.test(message)) {
    return { kind: 'passing', reason: connectionReasons.otherProtocol };
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL') || code.startsWith('CERT_')) {
    return { kind: 'denied', reason: connectionReasons.tls(message) };
  }
  const known = passingReasons[code];
  const reason = known === undefined ? message : `${known} (${message || code})`;
  return { kind: 'passing', reason, ...(code === '53300' && { full: true }) };
}

/** Whether an error means that the connection is lost. pg's own errors of this kind have no code. */
export function isConnectionLoss(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return (
    /^(57P0[12345]|25P0[34]|08...|ECONNRESET|EPIPE|ETIMEDOUT)$/.test(codeOf(error) ?? '') ||
    /^(Connection terminated|Client has encountered a connection error|Client was closed)/.test(message)
  );
}

/** A host with several addresses fails with one error for each. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;
}
