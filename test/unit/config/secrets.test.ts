import { describe, expect, it } from 'vitest';

import { secretsOf } from '../../../src/config/secrets.ts';
import { read } from './read.ts';

const secretsIn = (environment: Record<string, string>) => secretsOf(read(environment));

describe('secrets', () => {
  it('are the address and the password in every form, longest first', () => {
    const url = 'postgresql://u:%70%2fw@h/d';
    expect(secretsIn({ DATABASE_URL: url })).toEqual([url, '%70%2fw', 'p%2Fw', 'p%2fw', 'p/w']);
  });

  it('are recognised completely if a password contains a delimiter', () => {
    const url = 'postgresql://u@v:x/y?%70#z@h/d';
    expect(secretsIn({ DATABASE_URL: url })).toEqual(expect.arrayContaining([url, 'x/y?%70#z', 'x/y?p#z']));
  });

  it.each([
    ['POSTGRES_PASSWORD', { POSTGRES_PASSWORD: 'hunter2' }],
    ['PGPASSWORD', { DATABASE_URL: 'postgresql://u@h/d', PGPASSWORD: 'hunter2' }],
    ['SETTINGS_ENCRYPTION_KEY', { DATABASE_URL: 'sqlite:////a.db', SETTINGS_ENCRYPTION_KEY: 'hunter2' }],
    ['a parameter', { DATABASE_URL: 'postgresql://u@h/d?sslmode=disable&password=hunter2' }],
  ])('are read from %s too', (_, environment) => {
    expect(secretsIn(environment)).toContain('hunter2');
  });

  it('leave names readable that are equal to the password', () => {
    const url = 'postgresql://timetracker:timetracker@db:5432/timetracker';
    expect(secretsIn({ DATABASE_URL: url })).toEqual([url]);
    expect(secretsIn({ POSTGRES_HOST: 'db' })).toEqual([]);
  });

  it.each(['a', 'pw1', 'postgres', 'database', 'wrong'])('leave well-known words readable: %s', (password) => {
    const url = `postgresql://app:${password}@db:5432/tt`;
    expect(secretsIn({ DATABASE_URL: url })).toEqual([url]);
    expect(secretsIn({ POSTGRES_HOST: 'db', POSTGRES_PASSWORD: password })).toEqual([]);
  });

  it.each(['sqlite:////a.db', 'postgresql://u@h/d'])('are none in %s', (url) => {
    expect(secretsIn({ DATABASE_URL: url })).toEqual([]);
  });
});
