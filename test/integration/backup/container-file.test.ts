import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { noVolumes } from '../../faults/volumes.ts';
import { atEnd } from '../../support/cleanup.ts';
import { run } from '../../support/run.ts';
import { execaSync } from 'execa';

const reason = noVolumes ?? (existsSync('/.dockerenv') ? null : 'this is no container');

(reason === null ? describe : describe.skip)(
  `a SQLite file in a container${reason === null ? '' : ` [skipped: ${reason}]`}`,
  () => {
    it('is reported by every command as lost with the container, unless it is on a volume', async () => {
      // not among the temporary files
      const folder = await mkdtemp('/db-init-test-');
      atEnd(() => rm(folder, { recursive: true, force: true }));
      const env = { DATABASE_URL: `sqlite:///${folder}/sub/timetracker.db` };
      for (const command of ['status', 'gate', 'gate', 'status', 'verify']) {
        const { exitCode, all } = await run([command], { env });
        expect(exitCode, all).toBe(0);
        expect(all).toContain(
          `WARNING: THE DATABASE IS ON NO VOLUME: ${join(folder, 'sub/timetracker.db')} is in this container`,
        );
        expect(all).toContain(`Mount a volume at ${join(folder, 'sub')}`);
      }
      const compose = { ...env, TT_COMMAND_PREFIX: 'docker compose run --rm db-init' };
      expect((await run(['status', '--json'], { env: compose })).stderr).toContain(
        `docker compose cp app:${folder}/sub ./saved`,
      );

      execaSync('mount', ['-t', 'tmpfs', 'db-init-test', join(folder, 'sub')]);
      atEnd(async () => void execaSync('umount', ['--lazy', join(folder, 'sub')]));
      const { exitCode, all } = await run(['gate'], { env });
      expect(exitCode, all).toBe(0);
      expect(all).not.toContain('NO VOLUME');
    });
  },
);
