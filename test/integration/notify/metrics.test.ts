import { copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createSqliteDatabase } from '../../support/database.ts';
import { run } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { execute } from '../backup/backups.ts';

const sample = /^(db_init_\w+)(\{\w+="[^"]*"\})? \d+(\.\d+)?$/;

/** The samples of a file that Prometheus can read, by name and labels. */
async function samplesIn(file: string): Promise<ReadonlyMap<string, number>> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const samples = lines.filter((line) => !line.startsWith('#'));
  for (const line of samples) {
    expect(line).toMatch(sample);
    const name = line.replace(/[ {].*/, '');
    expect(lines).toEqual(expect.arrayContaining([`# TYPE ${name} gauge`, expect.stringContaining(`# HELP ${name} `)]));
  }
  return new Map(samples.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]));
}

it('Prometheus reads how the last run ended, and when a run last succeeded', async () => {
  const database = await createSqliteDatabase();
  const folder = await temporaryDirectory();
  const file = join(folder, 'db-init.prom');
  const env = { DATABASE_URL: database.url, UPLOAD_FOLDER: await temporaryDirectory(), TT_METRICS_FILE: file };
  const gate = async (more = {}) => {
    const { exitCode } = await run([], { env: { ...env, ...more } });
    return { exitCode, samples: await samplesIn(file) };
  };
  const before = Date.now() / 1000;
  const first = await gate();
  const now = Date.now() / 1000;
  expect(first.samples.get('db_init_exit_code')).toBe(0);
  expect(first.samples.get('db_init_state{state="current"}')).toBe(1);
  expect(first.samples.get('db_init_state{state="partial"}')).toBe(0);
  for (const what of ['run', 'success', 'change']) {
    const at = first.samples.get(`db_init_last_${what}_timestamp_seconds`);
    expect(at, what).toBeGreaterThan(before);
    expect(at, what).toBeLessThan(now);
  }
  expect(first.samples.get('db_init_last_run_duration_seconds')).toBeLessThan(now - before);
  expect(first.samples.has('db_init_last_backup_size_bytes')).toBe(false);
  expect([(await stat(file)).mode & 0o777, await readdir(folder)]).toEqual([0o644, ['db-init.prom']]);

  await run(['backup', 'create'], { env });
  const archive = (await readdir(join(env.UPLOAD_FOLDER, 'backups'))).find((name) => name.endsWith('.zip')) ?? '';
  const { size } = await stat(join(env.UPLOAD_FOLDER, 'backups', archive));
  const backedUp = await samplesIn(file);
  expect(backedUp.get('db_init_last_backup_size_bytes')).toBe(size);
  // a backup reads no state, and changes nothing
  const lastChange = 'db_init_last_change_timestamp_seconds';
  expect(backedUp.get(lastChange)).toBe(first.samples.get(lastChange));
  expect(backedUp.get('db_init_state{state="current"}')).toBe(1);

  await copyFile(database.name, `${database.name}.healthy`);
  await execute(database, 'PRAGMA foreign_keys = OFF; DROP TABLE users');
  const refused = await gate();
  expect([refused.exitCode, refused.samples.get('db_init_exit_code')]).toEqual([11, 11]);
  expect(refused.samples.get('db_init_state{state="partial"}')).toBe(1);
  for (const name of ['db_init_last_success_timestamp_seconds', 'db_init_last_backup_size_bytes', lastChange]) {
    expect(refused.samples.get(name), name).toBe(backedUp.get(name));
  }
  expect(refused.samples.get('db_init_last_run_timestamp_seconds')).toBeGreaterThan(now);

  // commands that only read write no metrics, and neither does an unreadable configuration
  await run(['status'], { env });
  expect(await samplesIn(file)).toEqual(refused.samples);
  const unusable = await gate({ TT_DRIFT: 'nonsense' });
  expect(unusable.samples.get('db_init_exit_code')).toBe(2);
  expect(unusable.samples.get('db_init_state{state="partial"}')).toBe(1);

  // the memory beside the backups knows of a success as well
  await rm(file);
  const alone = await gate();
  expect(alone.samples.get('db_init_last_success_timestamp_seconds')).toBeCloseTo(
    first.samples.get('db_init_last_success_timestamp_seconds') ?? 0,
    0,
  );
  await writeFile(file, 'nonsense\ndb_init_exit_code{x="} 5\ndb_init_last_backup_size_bytes NaN\n');
  expect((await gate()).samples.has('db_init_last_backup_size_bytes')).toBe(false);
});

it.each(['/nowhere/at/all.prom', '/dev/full'])(
  'a metrics file that cannot be written is a warning: %s',
  async (file) => {
    const { url } = await createSqliteDatabase();
    const { exitCode, stderr } = await run([], { env: { DATABASE_URL: url, TT_METRICS_FILE: file } });
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`WARNING: the metrics could not be written to ${file}`);
  },
);
