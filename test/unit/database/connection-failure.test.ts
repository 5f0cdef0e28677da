import { describe, expect, it } from 'vitest';
import { isConnectionLoss, classifyConnectionFailure } from '../../../src/database/postgres/connection-failure.ts';
import { requireSupported } from '../../../src/database/postgres/connect.ts';

const failure = (code: string, message = 'the words of the driver'): Error =>
  Object.assign(new Error(message), { code });

describe('classifyConnectionFailure', () => {
  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENOENT',
    '57P01',
    '57P02',
    '57P03',
    '53300',
    'of no meaning to us',
  ])('treats %s as temporary', (code) => {
    const judged = classifyConnectionFailure(failure(code));
    expect(judged.kind).toBe('passing');
    expect(judged.reason).toContain('the words of the driver');
  });

  it.each([
    '28P01',
    '28000',
    '42501',
    'EACCES',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'CERT_SIGNATURE_FAILURE',
  ])('treats %s as a refusal', (code) => {
    expect(classifyConnectionFailure(failure(code)).kind).toBe('denied');
  });

  it('treats 3D000 as a database that may still be created', () => {
    expect(classifyConnectionFailure(failure('3D000'))).toMatchObject({ kind: 'no-such-database' });
  });

  it.each([
    'The server does not support SSL connections',
    'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
  ])('recognises "%s", which has no code', (message) => {
    expect(classifyConnectionFailure(new Error(message)).kind).toBe('denied');
  });

  it("asks what else may listen there if the answer is not PostgreSQL's", () => {
    expect(classifyConnectionFailure(new Error('There was an error establishing an SSL connection'))).toEqual({
      kind: 'passing',
      reason: expect.stringContaining('another program'),
    });
  });

  it('judges a host with several addresses by the first', () => {
    const all = new AggregateError([failure('ECONNREFUSED', 'connect ::1'), failure('EACCES')], '');
    expect(classifyConnectionFailure(all).reason).toBe('nothing is listening there yet (connect ::1)');
  });

  it('describes a value that is no error', () => {
    expect(classifyConnectionFailure('nothing')).toEqual({ kind: 'passing', reason: 'nothing' });
  });
});

describe('isConnectionLoss', () => {
  it.each([failure('57P01'), failure('08006'), failure('ECONNRESET'), new Error('Connection terminated unexpectedly')])(
    'recognises %s',
    (error) => expect(isConnectionLoss(error)).toBe(true),
  );

  it.each([failure('42P01'), failure('55P03'), new Error('no'), 'Connection terminated'])(
    'does not recognise %s',
    (error) => {
      expect(isConnectionLoss(error)).toBe(false);
    },
  );
});

describe('requireSupported', () => {
  it('accepts PostgreSQL 13 and newer', () => {
    expect(() => requireSupported({ versionNumber: 130000, version: '13.0' })).not.toThrow();
    expect(() => requireSupported({ versionNumber: 129999, version: '12.99' })).toThrow('unsupported-server');
  });
});
