import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { verifyDump } from '../../../src/database/postgres/dump/create-and-verify.ts';
import type { Tool, ToolName } from '../../../src/database/postgres/client-tools.ts';
import { restoreThroughPsql } from '../../../src/database/postgres/dump/pg-restore.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { targetOf } from './loads.ts';

const { signal } = new AbortController();
const target = targetOf('postgresql://nobody@127.0.0.1:1/none');

/** A program that replaces pg_restore or psql. */
async function program(script: string, name: ToolName = 'pg_restore'): Promise<Tool> {
  const command = join(await temporaryDirectory(), name);
  await writeFile(command, `#!/bin/sh\n${script}\n`);
  await chmod(command, 0o755);
  return { name, command, major: 16, minor: 0 };
}

/** Much more than a pipe holds. */
const pieces = 100;
function* dump(read: number[]): Generator<Buffer> {
  for (let piece = 1; piece <= pieces; piece++) {
    read.push(piece);
    yield Buffer.alloc(64 * 1024);
  }
}

it.each(['exit 0', 'head -c 100 >/dev/null', 'exec <&-', 'cat >/dev/null'])(
  'a dump that pg_restore has read enough of (%s) is verified and read to its end',
  async (script) => {
    const read: number[] = [];
    await verifyDump(await program(script), Readable.from(dump(read)), signal);
    expect(read).toHaveLength(pieces);
  },
);

it('a dump that pg_restore cannot read fails the verification with the message of pg_restore', async () => {
  const broken = program("echo 'pg_restore: error: did not find magic string' >&2; exit 1");
  await expect(verifyDump(await broken, Readable.from(dump([])), signal)).rejects.toThrow('did not find magic string');
});

it('a dump that cannot be read to its end fails the verification, although pg_restore had enough', async () => {
  const content = Readable.from(
    (function* damaged() {
      yield* dump([]);
      throw new Error('its checksum is another one');
    })(),
  );
  await expect(verifyDump(await program('exit 0'), content, signal)).rejects.toThrow('its checksum is another one');
});

it.each([40_000, 200_000])(
  'a load says why psql failed after pg_restore had written %i bytes and ended',
  async (bytes) => {
    const ended = join(await temporaryDirectory(), 'ended');
    const restore = await program(`head -c ${bytes} /dev/zero | tr '\\0' '\\n'; : > '${ended}'`);
    const refusing = `while [ ! -e '${ended}' ]; do sleep 0.01; done; echo 'psql:<stdin>:1: ERROR:  no such encoding' >&2; exit 3`;
    const load = {
      restore,
      dump: 'x',
      options: [],
      target,
      pgOptions: undefined,
      applicationName: 'x',
      signal,
      onFailure: () => undefined,
    };
    const framing = { head: '', tail: '', filter: () => new PassThrough() };
    await expect(restoreThroughPsql(load, await program(refusing, 'psql'), framing)).rejects.toThrow(
      'no such encoding',
    );
  },
);
