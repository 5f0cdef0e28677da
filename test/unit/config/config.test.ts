import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { ConfigurationError } from '../../../src/config/configuration-error.ts';
import { readSettings } from '../../../src/config/config.ts';
import { faultsOf, read } from './read.ts';

const url = { DATABASE_URL: 'sqlite:////data/timetracker.db' };

describe('defaults', () => {
  it('are those of the documentation', () => {
    expect(read(url)).toEqual({
      database: { kind: 'sqlite', file: '/data/timetracker.db' },
      skipCleanup: false,
      commandPrefix: expect.stringMatching(/db-init$/),
      requireExisting: false,
      allowNewerSchema: false,
      drift: 'repair',
      allowNetworkFs: false,
      waitTimeout: 120,
      lockTimeout: 300,
      migrationLockTimeout: 10,
      statementTimeout: 0,
      backupFolder: '/data/uploads/backups',
      uploadRoots: [
        { name: 'uploads', folder: '/app/app/static/uploads' },
        { name: 'data_uploads', folder: '/data/uploads' },
        { name: 'project_attachments', folder: '/app/uploads/project_attachments' },
      ],
      archiveLimits: { entries: 1_000_000, bytes: 1_000_000_000_000, ratio: 200 },
      restoreFrom: [],
      runOnce: [],
      services: { application: ['app'], database: null },
      settingsKey: '',
      installationFolder: '/data',
      flaskEnvironment: 'production',
      administrator: 'admin',
      forceReset: false,
      backupBeforeMigrate: 'auto',
      backupMaxAge: null,
      reportFile: null,
      notification: { recipients: [], on: 'failure', ping: null, faults: [] },
      metricsFile: null,
      logFormat: 'human',
      hints: [],
    });
  });
});

describe('misspelled settings', () => {
  it('are named with the setting that is meant', () => {
    const { hints } = read({ ...url, TT_REQUIRE_EXSITING: 'true', TT_PING_ULR: 'https://x', TT_COLOUR_OF_MINE: '1' });
    expect(hints).toEqual([
      'TT_REQUIRE_EXSITING is not a setting of db-init, and has no effect. Did you mean TT_REQUIRE_EXISTING?',
      expect.stringContaining('Did you mean TT_PING_URL?'),
    ]);
  });

  it('are none of the settings of db-init, nor of empty variables', () => {
    const names = [...readFileSync('.env.example', 'utf8').matchAll(/^#(TT_\w+)=/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(20);
    const values = { TT_NOTIFY_URL: 'https://x.example', TT_PING_URL: 'https://x.example', TT_RUN_ONCE: 'status' };
    const all = Object.fromEntries(names.filter((name) => !name.endsWith('_FILE')).map((name) => [name, '1']));
    const words = { TT_DRIFT: 'fail', TT_BACKUP_BEFORE_MIGRATE: 'auto', TT_LOG_FORMAT: 'json', ...values };
    expect(read({ ...url, ...all, ...words, TT_REQUIRE_EXSITING: '' }).hints).toEqual([]);
  });
});

describe('switches', () => {
  const switches = [
    ['TT_SKIP_DB_CLEANUP', 'skipCleanup'],
    ['TT_REQUIRE_EXISTING', 'requireExisting'],
    ['TT_ALLOW_NEWER_SCHEMA', 'allowNewerSchema'],
    ['TT_ALLOW_NETWORK_FS', 'allowNetworkFs'],
  ] as const;

  it.each(switches)('%s sets only %s', (variable, key) => {
    const { hints: _, ...off } = read(url);
    const { hints: __, ...on } = read({ ...url, [variable]: 'true' });
    expect(on).toEqual({ ...off, [key]: true });
  });

  it.each([
    ...['1', 'true', 'TRUE', 'Yes', 'on', ' true '].map((word) => [word, true] as const),
    ...['0', 'false', 'No', 'OFF', '', '  '].map((word) => [word, false] as const),
  ])('read %j as %j', (word, value) => {
    expect(read({ ...url, TT_REQUIRE_EXISTING: word }).requireExisting).toBe(value);
  });

  it.each(['2', 'y', 'ja', 'true false', 'enabled'])('refuse %j and list the words', (word) => {
    expect(faultsOf({ ...url, TT_REQUIRE_EXISTING: word })).toEqual([
      { variable: 'TT_REQUIRE_EXISTING', problem: `is "${word}"; allowed: 1, true, yes, on, 0, false, no, off` },
    ]);
  });

  it('warn that the application does not know TT_SKIP_DB_CLEANUP=on', () => {
    expect(read({ ...url, TT_SKIP_DB_CLEANUP: ' On' }).hints).toEqual([expect.stringContaining('TT_SKIP_DB_CLEANUP')]);
    expect(read({ ...url, TT_SKIP_DB_CLEANUP: 'true' }).hints).toEqual([]);
  });
});

describe('times', () => {
  const times = [
    ['TT_WAIT_TIMEOUT', 'waitTimeout'],
    ['TT_LOCK_TIMEOUT', 'lockTimeout'],
    ['TT_MIGRATION_LOCK_TIMEOUT', 'migrationLockTimeout'],
    ['TT_STATEMENT_TIMEOUT', 'statementTimeout'],
  ] as const;

  it.each(times)('%s sets only %s', (variable, key) => {
    expect(read({ ...url, [variable]: '77' })).toEqual({ ...read(url), [key]: 77 });
  });

  it.each([
    ['0', 0],
    ['86400', 86_400],
    [' 5 ', 5],
    ['007', 7],
    ['', 120],
  ])('read %j as %j seconds', (text, seconds) => {
    expect(read({ ...url, TT_WAIT_TIMEOUT: text }).waitTimeout).toBe(seconds);
  });

  it.each(['-1', '1.5', '10s', '1e3', '0x10', '86401', '99999999999999999999', 'infinity', '１'])(
    'refuse %j',
    (text) => {
      expect(faultsOf({ ...url, TT_WAIT_TIMEOUT: text })).toEqual([
        { variable: 'TT_WAIT_TIMEOUT', problem: `is "${text}"; allowed: whole seconds from 0 to 86400` },
      ]);
    },
  );
});

describe('folders', () => {
  it.each([
    [{ BACKUP_FOLDER: '/b', BACKUP_DIR: '/d', UPLOAD_FOLDER: '/u' }, '/b'],
    [{ BACKUP_FOLDER: '', BACKUP_DIR: '/d', UPLOAD_FOLDER: '/u' }, '/d'],
    [{ BACKUP_DIR: '/d' }, '/d'],
    [{ BACKUP_FOLDER: '', BACKUP_DIR: '', UPLOAD_FOLDER: '/u' }, '/u/backups'],
    [{ UPLOAD_FOLDER: 'up' }, '/srv/up/backups'],
    [{ BACKUP_FOLDER: 'b/' }, '/srv/b'],
  ])('put backups with %j into %s', (folders, expected) => {
    expect(read({ ...url, ...folders }).backupFolder).toBe(expected);
  });

  it('contain each upload folder of the application once', () => {
    expect(read({ ...url, UPLOAD_FOLDER: '/u' }).uploadRoots.map(({ folder }) => folder)).toEqual([
      '/app/app/static/uploads',
      '/u',
      '/app/uploads/project_attachments',
    ]);
    expect(read({ ...url, UPLOAD_FOLDER: '/app/app/static/uploads/' }).uploadRoots).toHaveLength(2);
  });
});

describe('backup before migrating', () => {
  it.each([
    ['always', 'always'],
    [' Never ', 'never'],
    ['', 'auto'],
  ])('reads %j as %s', (text, mode) => {
    expect(read({ ...url, TT_BACKUP_BEFORE_MIGRATE: text }).backupBeforeMigrate).toBe(mode);
  });

  it('refuses anything else', () => {
    expect(faultsOf({ ...url, TT_BACKUP_BEFORE_MIGRATE: 'yes' })).toEqual([
      { variable: 'TT_BACKUP_BEFORE_MIGRATE', problem: 'is "yes"; allowed: auto, always, never' },
    ]);
  });
});

describe('report file', () => {
  it.each([
    ['/r/run.json', '/r/run.json'],
    ['run.json', '/srv/run.json'],
    ['', null],
  ])('is read from %j as %s', (text, path) => {
    expect(read({ ...url, TT_REPORT_FILE: text }).reportFile).toBe(path);
  });
});

describe('log format', () => {
  it.each([
    ['json', 'json'],
    ['JSON ', 'json'],
    ['human', 'human'],
    ['', 'human'],
  ])('reads %j as %s', (text, format) => {
    expect(read({ ...url, TT_LOG_FORMAT: text }).logFormat).toBe(format);
  });

  it('refuses anything else', () => {
    expect(faultsOf({ ...url, TT_LOG_FORMAT: 'xml' })).toEqual([
      { variable: 'TT_LOG_FORMAT', problem: 'is "xml"; allowed: human, json' },
    ]);
  });
});

describe('faults', () => {
  it('are all reported at once, in one error that names each variable', () => {
    const environment = {
      DATABASE_URL: 'postgresql://u:hunter2@:99999?sslmode=maybe',
      TT_WAIT_TIMEOUT: 'soon',
      TT_SKIP_DB_CLEANUP: 'perhaps',
      TT_LOG_FORMAT: 'xml',
    };
    const variables = faultsOf(environment).map(({ variable }) => variable);
    expect(variables.toSorted()).toEqual([
      ...Array.from({ length: 4 }, () => 'DATABASE_URL'),
      'TT_LOG_FORMAT',
      'TT_SKIP_DB_CLEANUP',
      'TT_WAIT_TIMEOUT',
    ]);
    expect(() => read(environment)).toThrow(ConfigurationError);
    expect(() => read(environment)).toThrow(/DATABASE_URL .*TT_SKIP_DB_CLEANUP .*TT_LOG_FORMAT/);
    expect(() => read(environment)).not.toThrow(/hunter2/);
  });

  it('show long values shortened, on one line', () => {
    const [fault] = faultsOf({ ...url, TT_LOG_FORMAT: `a\nb${'c'.repeat(200)}` });
    expect(fault?.problem).toMatch(/^is "a\\nbc{57}…"; allowed/);
  });
});

describe('settings without a database', () => {
  it('are complete, with the folders', () => {
    const { database, ...others } = readSettings({ BACKUP_FOLDER: '/b' }, '/');
    const { database: _, ...same } = read({ ...url, BACKUP_FOLDER: '/b' });
    expect(database).toBeNull();
    expect(others).toEqual(same);
  });

  it('contain the database if one is set', () => {
    expect(readSettings(url, '/')).toEqual(read(url));
    expect(readSettings({ POSTGRES_DB: 'x' }, '/').database).toMatchObject({ kind: 'postgresql', database: 'x' });
  });

  it('report their faults as well', () => {
    expect(() => readSettings({ TT_WAIT_TIMEOUT: 'x' }, '/')).toThrow(ConfigurationError);
    expect(() => readSettings({ DATABASE_URL: 'mysql://db/x' }, '/')).toThrow(ConfigurationError);
  });
});
