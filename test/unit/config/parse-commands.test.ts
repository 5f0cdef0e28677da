import { describe, expect, it } from 'vitest';
import { parseCommands } from '../../../src/config/parse-commands.ts';
import { faultsOf, read } from './read.ts';

const url = { DATABASE_URL: 'sqlite:////data/timetracker.db' };

describe('a line of commands', () => {
  it.each<readonly [string, readonly (readonly string[])[]]>([
    ['quarantine create --all --yes', [['quarantine', 'create', '--all', '--yes']]],
    ["restore 'my copy.zip'  --yes", [['restore', 'my copy.zip', '--yes']]],
    [String.raw`restore "my \"copy\".zip" my\ other`, [['restore', 'my "copy".zip', 'my other']]],
    [String.raw`restore 'it'\''s.zip'`, [['restore', "it's.zip"]]],
    ['"quarantine create --all --yes"', [['quarantine', 'create', '--all', '--yes']]],
    ["'backup list'", [['backup', 'list']]],
    [
      "quarantine create --yes && restore ''",
      [
        ['quarantine', 'create', '--yes'],
        ['restore', ''],
      ],
    ],
    ['db-init backup create', [['backup', 'create']]],
    ['docker compose run --rm db-init backup create', [['backup', 'create']]],
    ["reset --yes-delete-all-data 'a;b$c'", [['reset', '--yes-delete-all-data', 'a;b$c']]],
    ['reset --yes-delete-all-data db-init', [['reset', '--yes-delete-all-data', 'db-init']]],
  ])('%s', (line, commands) => {
    expect(parseCommands(line)).toEqual({ kind: 'commands', commands });
    expect(read({ ...url, TT_RUN_ONCE: ` ${line}\n` }).runOnce).toEqual(commands);
  });

  it.each([
    ["restore 'my copy.zip", "has no second ' to the one at character 9"],
    ['backup create; rm -rf /', 'only a shell understands'],
    ['backup create | cat', 'only a shell understands'],
    ['restore $FILE', 'only a shell understands'],
    ['restore "$(cat x)"', 'only a shell understands'],
    ['restore *.zip', 'only a shell understands'],
    ['backup create & ', 'only a shell understands'],
    ['&& backup create', 'without a command before it'],
    ['backup create &&', 'ends without a command'],
  ])('refuses %s', (line, problem) => {
    expect(faultsOf({ ...url, TT_RUN_ONCE: line })).toEqual([
      { variable: 'TT_RUN_ONCE', problem: expect.stringContaining(problem) },
    ]);
  });

  it('is empty if it is blank', () => {
    expect([read(url).runOnce, read({ ...url, TT_RUN_ONCE: '  ' }).runOnce]).toEqual([[], []]);
  });
});
