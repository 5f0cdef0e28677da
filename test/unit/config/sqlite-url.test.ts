import { describe, expect, it } from 'vitest';

import { faultsOf, read } from './read.ts';

describe('addresses of SQLite files', () => {
  it.each([
    ['sqlite:////data/timetracker.db', '/data/timetracker.db'],
    ['sqlite:///timetracker.db', '/app/timetracker.db'],
    ['sqlite:///instance/../a.db', '/app/a.db'],
    ['sqlite:////data/my file %20#1.db', '/data/my file %20#1.db'],
  ])('%s is %s', (url, file) => {
    expect(read({ DATABASE_URL: url }, '/app')).toMatchObject({ database: { kind: 'sqlite', file }, hints: [] });
  });

  it.each([
    ['SQLite:////a.db', 'requires sqlite://.'],
    ['sqlite:////a.db?timeout=5', 'parameters'],
  ])('%s is understood, with a hint', (url, hint) => {
    expect(read({ DATABASE_URL: url })).toMatchObject({
      database: { kind: 'sqlite', file: '/a.db' },
      hints: [expect.stringContaining(hint)],
    });
  });

  it.each([
    ['sqlite://', 'in memory'],
    ['sqlite:///', 'in memory'],
    ['sqlite:///?mode=ro', 'in memory'],
    ['sqlite:///:memory:', 'in memory'],
    ['sqlite://:memory:', 'two slashes'],
    ['sqlite://timetracker.db', 'two slashes'],
    ['sqlite://data/timetracker.db', 'two slashes'],
    ['sqlite:///file:a.db?uri=true', 'file: address'],
    ['sqlite:////data/', 'folder'],
    [String.raw`sqlite:///C:\data\app.db`, 'path of Windows'],
    ['sqlite:////c:/data/app.db', 'path of Windows'],
    [String.raw`sqlite:///\\nas\data\app.db`, 'path of Windows'],
    ['sqlite:///~/app.db', 'begins with ~'],
    ['sqlite:///${DATA:-/data}/app.db', 'contains ${DATA:-/data}, and nothing has replaced that'],
  ])('%s is a fault that shows the right forms', (url, problem) => {
    const faults = faultsOf({ DATABASE_URL: url });
    expect(faults).toEqual([{ variable: 'DATABASE_URL', problem: expect.stringContaining(problem) }]);
    expect(faults[0]?.problem).toContain('allowed: sqlite:///relative/path.db or sqlite:////absolute/path.db');
  });
});
