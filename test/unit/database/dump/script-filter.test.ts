import { adaptSettings } from '../../../../src/database/postgres/dump/script-settings.ts';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

const restrict = '\\restrict abcDEF123';
const settings = ['SET statement_timeout = 0;', 'SET transaction_timeout = 0;', "SET client_encoding = 'LATIN1';"];
const body = [
  "SELECT pg_catalog.set_config('search_path', '', false);",
  '-- Name: größe; Type: TABLE',
  '',
  'CREATE TABLE public.t (v text);',
  'COPY public.t (v) FROM stdin;',
  'SET transaction_timeout = 0;',
  '\\.',
  'SET transaction_timeout = 0;',
  '\\unrestrict abcDEF123',
  '',
];
const script = ['--', '-- PostgreSQL database dump', '--', '', restrict, '', ...settings, ...body];
const withoutOne = ['--', '-- PostgreSQL database dump', '--', '', restrict, '', settings[0], settings[2], ...body];
const text = (lines: readonly unknown[]): Buffer => Buffer.from(lines.join('\n'), 'latin1');

function filtered(chunks: Iterable<Buffer>, withoutTransactionTimeout = true): Promise<Buffer> {
  return buffer(Readable.from(chunks).pipe(adaptSettings({ withoutTransactionTimeout, encoding: 'UTF8' })));
}

function* pieces(whole: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < whole.length; start += size) yield whole.subarray(start, start + size);
}

describe('the SQL for psql', () => {
  it('loses the one setting that older servers refuse, only at its beginning', async () => {
    expect(await filtered([text(script)])).toEqual(text(withoutOne));
  });

  it('is read in the encoding of the database if it names none', async () => {
    const unknown = script.map((line) => (line === settings[2] ? "SET client_encoding = 'SQL_ASCII';" : line));
    const known = script.map((line) => (line === settings[2] ? "SET client_encoding = 'UTF8';" : line));
    expect(await filtered([text(unknown)], false)).toEqual(text(known));
    expect(await filtered([text([...script, ...unknown])], false)).toEqual(text([...script, ...unknown]));
  });

  it('is the same for all boundaries of chunks', async () => {
    const whole = text(script);
    for (let cut = 0; cut <= whole.length; cut++) {
      expect(await filtered([whole.subarray(0, cut), whole.subarray(cut)])).toEqual(text(withoutOne));
    }
    for (const size of [1, 2, 3, 7]) expect(await filtered(pieces(whole, size))).toEqual(text(withoutOne));
  });

  it('is not changed for a server that knows the setting', async () => {
    expect(await filtered([text(script)], false)).toEqual(text(script));
  });

  it('prevents psql from running commands if the tool is too old to do so', async () => {
    const old = script.filter((line) => !line.includes('restrict'));
    const lines = (await filtered([text(old)], false)).toString('latin1').split('\n');
    expect(lines[0]).toMatch(/^\\restrict [0-9a-f]{32}$/);
    expect(text(lines.slice(1))).toEqual(text(old));
  });

  it('does not treat text behind the first statement as a lock', async () => {
    const old = ['SET a = 1;', 'CREATE TABLE t ();', restrict, ''];
    expect((await filtered([text(old)])).toString()).toMatch(/^\\restrict [0-9a-f]{32}\nSET a = 1;\nCREATE/);
  });

  it.each([
    ['nothing', ''],
    ['no line end', 'SET transaction_timeout = 0;'],
    ['settings alone', 'SET statement_timeout = 0;\n'],
    ['one line without end', 'SELECT 1'],
  ])('may be incomplete: %s', async (_, cut) => {
    const lines = (await filtered([Buffer.from(cut)])).toString().split('\n');
    expect(lines.slice(1).join('\n')).toBe(cut);
  });

  it('does not wait for the end of a text that is no dump', async () => {
    const endless = Buffer.alloc(200_000, '-');
    expect((await filtered(pieces(endless, 1000))).length).toBeGreaterThan(200_000);
  });

  it('passes a long dump on unchanged', async () => {
    const data = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    const whole = Buffer.concat([text(script), data]);
    expect((await filtered(pieces(whole, 4096))).equals(Buffer.concat([text(withoutOne), data]))).toBe(true);
  });
});
