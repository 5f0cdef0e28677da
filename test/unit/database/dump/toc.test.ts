import { describe, expect, it } from 'vitest';
import {
  parseToc,
  passesOf,
  selectEntries,
  type ServerCapabilities,
  stagesOf,
  withoutOptional,
} from '../../../../src/database/postgres/dump/toc.ts';

const list = `;
; Archive created at 2026-01-01 10:00:00 UTC
;     dbname: app
;
; Selected TOC Entries:
;
7; 2615 16554 SCHEMA - other owner
8; 2615 2200 SCHEMA - public pg_database_owner
3501; 0 0 COMMENT - SCHEMA public owner
2; 3079 16389 EXTENSION - uuid-ossp 
3503; 0 0 COMMENT - EXTENSION uuid-ossp 
3; 3079 16390 EXTENSION - file_fdw 
4; 3079 16391 EXTENSION - gone 
217; 1259 16555 TABLE public users owner
3504; 0 0 COMMENT public TABLE users owner
400; 3381 16600 STATISTICS DATA extended owner
401; 0 0 STATISTICS DATA public users owner
3342; 3466 16575 EVENT TRIGGER - on ddl owner
3507; 0 0 COMMENT - EVENT TRIGGER on ddl owner
`;

const offers: ServerCapabilities = {
  major: 18,
  superuser: true,
  extensions: new Map([
    ['uuid-ossp', { superuserOnly: false }],
    ['file_fdw', { superuserOnly: true }],
  ]),
};
const numbers = (entries: readonly { readonly line: string }[]) => entries.map(({ line }) => Number.parseInt(line, 10));
const select = (changes: Partial<ServerCapabilities>) => selectEntries(parseToc(list), { ...offers, ...changes });

describe('the loaded part of a dump', () => {
  it('is everything except schema public, comments of other roles and extensions that the server lacks', () => {
    const { entries, warnings } = select({});
    expect(numbers(entries)).toEqual([7, 2, 3, 217, 3504, 400, 401, 3342, 3507]);
    expect(warnings).toEqual(['the extension gone is left out: this server does not have it']);
  });

  it('contains no object that only a superuser may create if the role is no superuser', () => {
    const { entries, warnings } = select({ superuser: false });
    expect(numbers(entries)).toEqual([7, 2, 217, 3504, 400, 401]);
    expect(warnings).toEqual([
      'the extension file_fdw is left out: only a superuser may create it',
      'the extension gone is left out: this server does not have it',
      'the event trigger on ddl is left out: only a superuser may create it',
    ]);
  });

  it('contains no planner statistics on a server that cannot load them', () => {
    expect(numbers(select({ major: 17 }).entries)).toEqual([7, 2, 3, 217, 3504, 400, 3342, 3507]);
  });

  it('keeps its lines unchanged', () => {
    const lines = new Set(list.split('\n'));
    expect(parseToc(list).every(({ line }) => lines.has(line))).toBe(true);
  });
});

describe('the loaded part of an untrusted dump', () => {
  it('has nothing of former databases that restores have kept as schemas, but everything that only looks like it', () => {
    const { entries, warnings } = withoutOptional(
      parseToc(`
1; 2615 1 SCHEMA - tt_before_20260101_000000 owner
2; 0 0 COMMENT - SCHEMA tt_before_20260101_000000 owner
3; 1259 3 TABLE tt_before_20260101_000000 users owner
4; 0 3 TABLE DATA tt_before_20260101_000000 users owner
5; 1255 5 FUNCTION tt_before_20260101_000000 f() owner
6; 2606 6 FK CONSTRAINT tt_before_20260101_000000 users users_fkey owner
7; 2615 7 SCHEMA - tt_quarantine_20260101_000000 owner
8; 1259 8 TABLE tt_quarantine_20260101_000000 users owner
9; 1259 9 TABLE public tt_before_20260101_000000 owner
10; 0 10 TABLE DATA public tt_before_20260101_000000 owner
11; 1259 11 TABLE tt_before_20260202_000000 not_created owner
12; 2615 12 SCHEMA - tt_before_mine owner
13; 1259 13 TABLE tt_before_mine users owner
14; 2615 14 SCHEMA - tt_restore_20260101_000000_2 owner
15; 1259 15 SEQUENCE tt_restore_20260101_000000_2 users_id_seq owner
`),
    );
    expect(numbers(entries)).toEqual([7, 8, 9, 10, 11, 12, 13]);
    expect(warnings).toEqual([
      expect.stringMatching(/^the schema tt_before_20260101_000000 is left out: /),
      expect.stringMatching(/^the schema tt_restore_20260101_000000_2 is left out: /),
    ]);
  });
});

describe('the passes of a load', () => {
  const { entries } = select({});

  it('are one if the owner may do everything or no superuser can help', () => {
    expect(passesOf(entries, false)).toEqual([{ entries, as: 'owner' }]);
  });

  it('are one if no superuser is needed', () => {
    const plain = entries.filter(({ kind }) => kind === 'other');
    expect(passesOf(plain, true)).toEqual([{ entries: plain, as: 'owner' }]);
  });

  it('let a superuser create objects that need a superuser', () => {
    const passes = passesOf(entries, true);
    expect(passes.map(({ as, entries: part }) => [as, ...numbers(part)])).toEqual([
      ['owner', 7],
      ['ourselves', 2, 3],
      ['owner', 217, 3504, 400, 401],
      ['ourselves', 3342, 3507],
    ]);
  });
});

describe('the stages of a load', () => {
  const parsed = parseToc(`
1; 1247 1 TYPE public kind owner
2; 1259 2 TABLE public INDEX owner
3; 0 0 COMMENT public TABLE users owner
4; 0 4 TABLE DATA public clients owner
5; 0 5 TABLE DATA public projects owner
6; 0 6 TABLE DATA public users owner
7; 0 0 SEQUENCE SET public users_id_seq owner
8; 2606 8 CONSTRAINT public users users_pkey owner
9; 1259 9 INDEX public ix_users owner
10; 0 0 COMMENT public INDEX ix_users owner
11; 2606 11 FK CONSTRAINT public users users_client_fkey owner
`);
  const of = (jobs: number) => stagesOf(parsed, jobs).map((stage) => stage.map(numbers));

  it('are definitions, rows, keys, and objects that refer to keys', () => {
    expect(of(1)).toEqual([[[1, 2, 3]], [[4, 5, 6]], [[8, 9]], [[7, 10, 11]]]);
  });

  it('divide rows and keys among the jobs, and leave no job without work', () => {
    expect(of(2)).toEqual([[[1, 2, 3]], [[4, 6], [5]], [[8], [9]], [[7, 10, 11]]]);
    expect(of(5)).toEqual([[[1, 2, 3]], [[4], [5], [6]], [[8], [9]], [[7, 10, 11]]]);
  });

  it('are none for an empty dump', () => {
    expect(stagesOf([], 2)).toEqual([]);
  });
});
