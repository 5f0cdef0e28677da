import { codeOf } from '../../errors/error-code.ts';

/** What a failed attempt to connect means for the next one. */
export type ConnectionFailure =
  /** Usually passes by itself: the server is starting, the host name is not known yet. */
  | {
      readonly kind: 'passing';
      readonly reason: string;
      /** Whether a limit is reached: `max_connections`, or the connection limit of a role or a database. */
      readonly full?: boolean;
    }
  /** The server answers, but the database does not exist; perhaps it is being created. */
  | { readonly kind: 'no-such-database'; readonly reason: string }
  /** The database exists and allows no connections: during a swap, or permanently. */
  | { readonly kind: 'closed'; readonly reason: string }
  /** Waiting does not help: credentials, rights, TLS. */
  | { readonly kind: 'denied'; readonly reason: string };

/** SQLSTATE codes (PostgreSQL manual, appendix A) and errno codes, with their meaning in words. */
const passing: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing is listening there yet',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved yet',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  EPIPE: 'the connection was closed',
  ENOENT: 'there is no such socket yet',
  '57P01': 'the server is shutting down',
  '57P02': 'the server crashed and is recovering',
  '57P03': 'the server is starting up',
  '53300': 'the server has no free connection',
  '08006': 'the connection broke',
};

const denied: Readonly<Record<string, string>> = {
  '28P01': 'the password is wrong, or there is no such user',
  '28000': 'the server does not let this user in',
  '42501': 'this user may not connect to this database',
  ENOTDIR: 'the socket path is no directory',
  EACCES: 'the socket may not be opened by this user',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the server certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'the server certificate is not signed by a known authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the server certificate cannot be verified: is sslrootcert the right one?',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the server certificate is not signed by a known authority',
  CERT_HAS_EXPIRED: 'the server certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server certificate is for another host name',
};

/** Classifies what `pg` threw while connecting. Unknown failures are `passing`: the wait timeout ends them. */
export function judgeConnectionFailure(error: unknown): ConnectionFailure {
  const failure = firstOf(error);
  const message = failure instanceof Error ? failure.message : String(failure);
  const code = codeOf(failure) ?? '';
  if (code === '3D000') return { kind: 'no-such-database', reason: message };
  if (code === '55000') return { kind: 'closed', reason: message };
  const refusal = denied[code];
  if (refusal !== undefined) return { kind: 'denied', reason: `${refusal} (${message})` };
  // pg reports the next two without a code
  if (/server does not support SSL/i.test(message)) {
    return { kind: 'denied', reason: 'the server does not speak TLS, but sslmode asks for it' };
  }
  if (/^SASL|password must be a string|no password/i.test(message)) {
    return { kind: 'denied', reason: `the server asks for a password, and none that fits was given (${message})` };
  }
  // pg's message if the answer to its TLS request is neither yes nor no
  if (/error establishing an SSL connection/i.test(message)) {
    return { kind: 'passing', reason: 'the answer was not that of PostgreSQL: does something else listen there?' };
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL') || code.startsWith('CERT_')) {
    return { kind: 'denied', reason: `TLS failed (${message})` };
  }
  const reason = passing[code] === undefined ? message : `${passing[code]} (${message || code})`;
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
