import { describe, expect, it } from 'vitest';
import { archiveName, type Manifest, parseManifest, renderManifest } from '../../../src/archive/manifest.ts';

const manifest: Manifest = {
  engine: 'postgresql',
  kind: 'safety',
  createdAt: new Date(2026, 10, 22, 15, 33, 31, 42),
  version: '0.1.0',
  database: 'timetracker on db:5432',
  server: 'PostgreSQL 16.4',
  tool: 'pg_dump 16',
  revisions: ['118_one_head', '128_another'],
  rows: { users: 3 },
  entries: { 'db.dump': { size: 5, sha256: 'ab' } },
  uploads: ['uploads', 'data_uploads'],
};

describe('manifest.json', () => {
  it('has the four keys of the application and those of db-init', () => {
    expect(JSON.parse(renderManifest(manifest))).toEqual({
      alembic_revision: '118_one_head',
      app_version: null,
      created_at: '2026-11-22T15:33:31',
      db_type: 'postgresql',
      db_init: expect.objectContaining({ kind: 'safety', revisions: ['118_one_head', '128_another'] }),
    });
  });

  it('has no revision if the database has none', () => {
    expect(JSON.parse(renderManifest({ ...manifest, revisions: [] }))).toHaveProperty('alembic_revision', null);
  });

  it('is read back as it was written', () => {
    expect(parseManifest(renderManifest(manifest))).toEqual(manifest);
  });

  it.each([
    [
      'of the application',
      '{"alembic_revision":"140_x","app_version":null,"created_at":"2026-11-22T15:36:42","db_type":"sqlite"}',
    ],
    ['of another format', renderManifest(manifest).replace('"format": 1', '"format": 2')],
    ['of another kind', renderManifest(manifest).replace('"safety"', '"other"')],
    ['without a time', renderManifest(manifest).replace(/"created_at": ".*Z"/, '"created_at": "soon"')],
    ['with uploads of another name', renderManifest(manifest).replace('"data_uploads"', '"elsewhere"')],
    ['with a size that is none', renderManifest(manifest).replace('"size": 5', '"size": "5"')],
    ['that is a list', '[]'],
    ['that is cut off', renderManifest(manifest).slice(0, -20)],
    ['that is empty', ''],
  ])('does not count as a manifest of db-init: one %s', (_, text) => {
    expect(parseManifest(text)).toBeNull();
  });
});

describe('the name of an archive', () => {
  it('contains the local time, as in the application', () => {
    expect(archiveName(manifest.createdAt)).toBe('timetracker_backup_20261122_153331.zip');
  });
});
