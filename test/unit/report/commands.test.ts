import { readArguments } from '../../../src/cli/arguments.ts';
import { matchesVerb } from '../../../src/cli/context.ts';
import { parseCommands } from '../../../src/config/parse-commands.ts';
import { describe, expect, it } from 'vitest';
import { commandPrefixOf } from '../../../src/config/command-prefix.ts';
import { commandsOf, sqliteAddress } from '../../support/commands.ts';

describe('commands within docker compose', () => {
  it('are those of the recovery document for its database', () => {
    const commands = commandsOf();
    expect(commands.dump).toBe('  docker compose exec db pg_dump -U timetracker timetracker > backup.sql');
    expect(commands.gate).toBe('  docker compose up -d');
    expect(commands.stop).toBe('  docker compose stop app');
    expect(commands.note).toBeNull();
  });

  it('contain user, database and service of the configuration, quoted for the shell', () => {
    const commands = commandsOf("postgresql://o'hara:geheim-7@pg16:6000/time%20tracker");
    expect(commands.dump).toBe(
      `  docker compose exec pg16 pg_dump -p 6000 -U 'o'\\''hara' 'time tracker' > backup.sql`,
    );
    expect(JSON.stringify(Object.values(commands))).not.toContain('geheim');
  });

  it('copy other options of compose from TT_COMMAND_PREFIX', () => {
    const commands = commandsOf(undefined, 'docker compose -f other.yml -p tt run --rm init');
    expect(commands.gate).toBe('  docker compose -f other.yml -p tt up -d');
    expect(commands.status).toBe('  docker compose -f other.yml -p tt run --rm init status');
    expect(commands.open).toBe('  docker compose -f other.yml -p tt exec db psql -U timetracker timetracker');
    expect(commands.script('true')).toBe('  docker compose -f other.yml -p tt run --rm --entrypoint sh init -c true');
  });

  it('use the services in TT_APP_SERVICE and TT_DB_SERVICE', () => {
    const commands = commandsOf(undefined, undefined, { TT_APP_SERVICE: 'web worker', TT_DB_SERVICE: 'database' });
    expect(commands.stop).toBe('  docker compose stop web worker');
    expect(commands.saveFolder('/app/x')).toBe('  docker compose cp web:/app/x ./saved');
    expect(commands.open).toBe('  docker compose exec database psql -U timetracker timetracker');
    expect(commands.serverLog).toBe('  docker compose logs database');
  });

  it('use the address of a server that is no service of compose', () => {
    expect(commandsOf('postgresql://u:p@10.0.0.7/d').dump).toBe('  pg_dump -h 10.0.0.7 -p 5432 -U u d > backup.sql');
    expect(commandsOf('postgresql://u:p@db.example.org/d').serverLog).toBe('');
  });

  it('quote a name that libpq would read as a connection string', () => {
    expect(commandsOf('postgresql://u:p@10.0.0.7/a%3Db').open).toBe(
      `  psql -h 10.0.0.7 -p 5432 -U u 'dbname='\\''a=b'\\'''`,
    );
  });
});

describe.each(['./entrypoint', 'npm start --', 'docker run --rm --env-file tt.env db-init', 'db-init'])(
  'commands if db-init is called as %s',
  (prefix) => {
    it.each([undefined, sqliteAddress])('do not mention compose (%s)', (address) => {
      const commands = commandsOf(address, prefix);
      const shown = [
        ...Object.values(commands).filter((value) => typeof value === 'string'),
        commands.upload('a b.zip'),
        commands.give('/data'),
        commands.script('true', 'input'),
        commands.runWith('FLASK_ENV', 'development', 'seed'),
        commands.client('createdb', ['x']),
      ].join('\n');
      expect(shown).not.toContain('compose');
      expect(commands.gate).toBe(`  ${prefix} gate`);
    });
  },
);

describe('the prefix of commands', () => {
  it('is TT_COMMAND_PREFIX', () => {
    expect(commandPrefixOf({ TT_COMMAND_PREFIX: ' podman run x ', KUBERNETES_SERVICE_HOST: '10.0.0.1' })).toBe(
      'podman run x',
    );
  });

  it.each([{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, { container: 'podman' }])(
    'is not that of compose in a container that compose cannot have started: %o',
    (environment) => {
      expect(commandPrefixOf(environment)).toBe('db-init');
    },
  );
});

describe('the way without a shell', () => {
  const compose = 'docker compose -f other.yml run --rm db-init';

  it.each<readonly [string, readonly string[], string]>([
    ['a change', ['quarantine create --all --yes'], 'TT_RUN_ONCE="quarantine create --all --yes"'],
    ['an archive', ['restore FILE'], 'TT_RESTORE_FROM=FILE'],
    ['a list before it', ['backup list', 'restore FILE'], 'TT_RESTORE_FROM=FILE'],
    ['consent', ['restore --undo'], 'TT_RUN_ONCE="restore --undo --yes"'],
    ['consent by name', ['reset'], 'TT_RUN_ONCE="reset --yes-delete-all-data timetracker"'],
    ['a look', ['repair --dry-run'], 'TT_RUN_ONCE="repair --dry-run"'],
    ['a look before a change', ['adopt --dry-run', 'adopt --force --yes'], 'TT_RUN_ONCE="adopt --force --yes"'],
    ['several', ['quarantine create --yes', 'adopt'], 'TT_RUN_ONCE="quarantine create --yes && adopt"'],
    ['quotes', ["restore 'my copy.zip'"], `TT_RUN_ONCE="restore 'my copy.zip' --yes"`],
  ])('%s', async (_, words, variable) => {
    for (const prefix of ['db-init', compose]) {
      const commands = commandsOf(undefined, prefix);
      const lines = [
        '  docker compose stop app',
        ...words.map((each) => `  ${prefix} ${each}`),
        '  docker compose up -d',
      ];
      const line = commands.withoutShell(lines);
      expect(line).toContain(`  # or set ${variable} and start again`);
      // what is advised is understood, and allowed
      for (const [, once = ''] of line.matchAll(/TT_RUN_ONCE="([^"]*)"/g)) {
        const read = parseCommands(once);
        for (const given of read.kind === 'commands' ? read.commands : [[]]) {
          const request = await readArguments(given);
          expect(request.kind === 'command' && matchesVerb(request.command.once, request.arguments), once).toBe(true);
        }
      }
    }
  });

  it('is the text for the console of the server, if the server has one', () => {
    const console = '  # or, in the console of the container db, what stands after "exec db"';
    const commands = commandsOf();
    expect(commands.withoutShell([commands.client('dropdb', ['timetracker']), commands.gate])).toBe(console);
    const both = commands.withoutShell([commands.open, commands.restore]).split('\n');
    expect(both).toEqual([console, expect.stringContaining('TT_RESTORE_FROM=FILE')]);
    // a file of the machine is not seen from there
    expect(commands.withoutShell([commands.dump, commands.client('pg_restore', ['-d', 'x'], 'piped')])).toBe('');
    const elsewhere = commandsOf(undefined, 'db-init');
    expect(elsewhere.withoutShell([elsewhere.client('dropdb', ['timetracker'])])).toBe('');
  });

  it.each(['help settings', 'gate', 'seed', 'compose x.yml', "restore 'a$b.zip'"])('does not exist for %s', (words) => {
    expect(commandsOf().withoutShell([`  docker compose run --rm db-init ${words}`])).toBe('');
  });
});
