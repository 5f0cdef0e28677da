/**
 * Why an attempt to connect failed, by SQLSTATE (PostgreSQL manual, appendix A) or errno: failures that are usually
 * temporary.
 */
export const passingReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing is listening there yet',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved yet',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  EPIPE: 'the connection was closed',
  ENOENT: 'the socket does not exist yet',
  '57P01': 'the server is shutting down',
  '57P02': 'the server crashed and is recovering',
  '57P03': 'the server is starting up',
  '53300': 'the server has no free connection',
  '08006': 'the connection broke',
};

/** The same for failures that waiting does not help. */
export const deniedReasons: Readonly<Record<string, string>> = {
  '28P01': 'the password is wrong, or there is no such user',
  '28000': 'the server does not let this user in',
  '42501': 'this user may not connect to this database',
  ENOTDIR: 'the path of the socket is not a directory',
  EACCES: 'this user may not open the socket',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the server certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the server certificate is not signed by a known authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the server certificate cannot be verified: is sslrootcert the right one?',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the server certificate is not signed by a known authority',
  CERT_HAS_EXPIRED: 'the server certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server certificate is for another host name',
};

/** Reasons that have no code of their own. A reason is a clause without its full stop. */
export const connectionReasons = {
  noTls: 'the server does not support TLS, but sslmode requires it',
  password: (message: string): string => `the server requires a password, and no valid one was given (${message})`,
  otherProtocol: 'the answer did not come from PostgreSQL: does another program listen there?',
  tls: (message: string): string => `TLS failed (${message})`,
  standby: 'the server is a standby and was not promoted yet',
  readOnlySessions: 'its sessions are read-only (default_transaction_read_only)',
  recentStart: 'the server has just started: checking that it keeps running',
  noAnswer: (seconds: number): string => `the server has not answered for ${seconds} seconds`,
} as const;
