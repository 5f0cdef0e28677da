import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import type { RecordedLine } from './record-svg.ts';

/** A separate compose project: the one with the name in the pictures may be a real installation. */
const project = 'db-init-record';
const files = ['docker-compose.yml', 'test/e2e/stand-in.yml'].flatMap((file) => ['--file', file]);
const compose = ['compose', '--ansi', 'never', '--project-name', project, ...files];
const env = { SECRET_KEY: 'x', HTTP_PORT: '0', DB_INIT_IMAGE: 'timetracker-db-init', COMPOSE_DISABLE_ENV_FILE: '1' };

/** Starts the stack on a database that was migrated in part. @returns what `docker compose up` prints */
export async function recordComposeUp(): Promise<readonly RecordedLine[]> {
  try {
    await execa('docker', [...compose, 'up', '--detach', '--wait', 'db'], { env });
    const input = gunzipSync(readFileSync(resolve('test/fixtures/states/partial-with-tables.sql.gz')));
    await execa('docker', [...compose, 'exec', '-T', 'db', 'psql', '-qU', 'timetracker'], { env, input });
    await execa('docker', [...compose, 'stop'], { env });
    const moments: RecordedLine[] = [];
    const began = performance.now();
    const up = execa('docker', [...compose, 'up'], { env, all: true, reject: false, buffer: false });
    for await (const line of up.iterable({ from: 'all' })) {
      const at = 1.2 + (performance.now() - began) / 1000;
      moments.push({
        at,
        kind: 'output',
        text: line.replaceAll('\u001B[2K', '').replaceAll(project, 'timetracker').trimEnd(),
      });
    }
    return [{ at: 0.4, kind: 'command', text: 'docker compose up' }, ...moments.flatMap(withoutServer)];
  } finally {
    await execa('docker', [...compose, 'down', '--volumes', '--timeout', '1'], { env, reject: false });
  }
}

/** Leaves out the server's log lines of the start, except the last one. */
function withoutServer(moment: RecordedLine): readonly RecordedLine[] {
  return moment.text.startsWith('db-1 ') && !moment.text.includes('ready to accept') ? [] : [moment];
}
