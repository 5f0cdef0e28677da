import { describe, expect, it } from 'vitest';
import { commandPrefixOf } from '../../../src/config/command-prefix.ts';
import { commandsOf, sqliteAddress } from '../../support/commands.ts';

describe('commands within docker compose', () => {
  it('are those of the recovery document for the documented database', () => {
    const commands = commandsOf();
    expect(commands.dump).toBe('  docker compose exec db pg_dump -U timetracker timetracker > backup.sql');
    expect(commands.gate).toBe('  docker compose up -d');
    expect(commands.stop).toBe('  docker compose stop app');
    expect(commands.note).toBeNull();
  });

  it('name user, database and service of the configuration, quoted for the shell', () => {
    const commands = commandsOf("postgresql://o'hara:geheim-7@pg16:6000/time%20tracker");
    expect(commands.dump).toBe(
      `  docker compose exec pg16 pg_dump -p 6000 -U 'o'\\''hara' 'time tracker' > backup.sql`,
    );
    expect(JSON.stringify(Object.values(commands))).not.toContain('geheim');
  });

  it('take other options of compose over from TT_COMMAND_PREFIX', () => {
    const commands = commandsOf(undefined, 'docker compose -f other.yml -p tt run --rm init');
    expect(commands.gate).toBe('  docker compose -f other.yml -p tt up -d');
    expect(commands.status).toBe('  docker compose -f other.yml -p tt run --rm init status');
    expect(commands.open).toBe('  docker compose -f other.yml -p tt exec db psql -U timetracker timetracker');
    expect(commands.script('true')).toBe('  docker compose -f other.yml -p tt run --rm --entrypoint sh init -c true');
  });

  it('name the services as TT_APP_SERVICE and TT_DB_SERVICE do', () => {
    const commands = commandsOf(undefined, undefined, { TT_APP_SERVICE: 'web worker', TT_DB_SERVICE: 'database' });
    expect(commands.stop).toBe('  docker compose stop web worker');
    expect(commands.saveFolder('/app/x')).toBe('  docker compose cp web:/app/x ./saved');
    expect(commands.open).toBe('  docker compose exec database psql -U timetracker timetracker');
    expect(commands.serverLog).toBe('  docker compose logs database');
  });

  it('reach a server that is no service of compose by its address', () => {
    expect(commandsOf('postgresql://u:p@10.0.0.7/d').dump).toBe('  pg_dump -h 10.0.0.7 -p 5432 -U u d > backup.sql');
    expect(commandsOf('postgresql://u:p@db.example.org/d').serverLog).toBe('');
  });

  it('hand a name to libpq that it does not take for a connection string', () => {
    expect(commandsOf('postgresql://u:p@10.0.0.7/a%3Db').open).toBe(
      `  psql -h 10.0.0.7 -p 5432 -U u 'dbname='\\''a=b'\\'''`,
    );
  });
});

describe.each(['./entrypoint', 'npm start --', 'docker run --rm --env-file tt.env db-init', 'db-init'])(
  'commands where db-init is called as %s',
  (prefix) => {
    it.each([undefined, sqliteAddress])('do not speak of compose (%s)', (address) => {
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

describe('how db-init is called', () => {
  it('is what TT_COMMAND_PREFIX says', () => {
    expect(commandPrefixOf({ TT_COMMAND_PREFIX: ' podman run x ', KUBERNETES_SERVICE_HOST: '10.0.0.1' })).toBe(
      'podman run x',
    );
  });

  it.each([{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, { container: 'podman' }])(
    'is not the way of compose in a container that compose cannot have started: %o',
    (environment) => {
      expect(commandPrefixOf(environment)).toBe('db-init');
    },
  );
});
