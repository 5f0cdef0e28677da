import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { describe } from 'vitest';
import { atEnd } from '../support/cleanup.ts';
import { dockerAnswers } from '../support/docker-server.ts';

const root = join(import.meta.dirname, '../..');

/** Compose files, relative to the project's folder. */
export const postgresFiles = ['docker-compose.yml', 'test/e2e/stand-in.yml', 'test/e2e/stand-in-db.yml'];
export const sqliteFiles = ['docker-compose.sqlite.yml', 'test/e2e/stand-in.yml'];

type Environment = Readonly<Record<string, string>>;

/** The result of a command. */
export interface Outcome {
  /** Undefined if it was ended by a signal. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** Standard output and standard error, in the order of output. */
  readonly all: string;
}

/** A container as Docker describes it. */
export interface Container {
  readonly id: string;
  /** `created`, `running`, `exited` */
  readonly status: string;
  readonly exitCode: number;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** A separate compose project for the tests. */
export interface Stack {
  /** The image that was built for the service db-init. */
  readonly image: string;
  /** `docker compose …`, with variables as .env would set them. Does not throw if the command fails. */
  compose(args: readonly string[], env?: Environment): Promise<Outcome>;
  /** Runs a script of the project from another folder, without a terminal. */
  script(path: string, args: readonly string[], env?: Environment): Promise<Outcome>;
  /** The container of a service, or null if there is none. */
  container(service: string): Promise<Container | null>;
  /** Resolves with the log of a service when it contains `text` or the container has ended. */
  logged(service: string, text: string): Promise<string>;
  /** Resolves with the exit code of a service when it has ended. */
  ended(service: string): Promise<number>;
  /** Runs SQL in the database of the service db. @returns rows, with `|` between the columns */
  sql(statements: string): Promise<string>;
}

/** A suite that needs Docker. If Docker does not answer, it is skipped, with the reason in its title. */
export const describeDocker = async (title: string, spec: () => void): Promise<void> => {
  if (await dockerAnswers()) describe(title, spec);
  else describe.skip(`${title} [skipped: no Docker daemon answers]`, spec);
};

/** Runs docker in the project's folder. Does not throw if the command fails. */
export async function docker(args: readonly string[], env: Environment = {}): Promise<Outcome> {
  const { exitCode, stdout, all } = await execa('docker', args, {
    cwd: root,
    env,
    reject: false,
    all: true,
    stdin: 'ignore',
  });
  return { exitCode, stdout, all };
}

/** Like `docker`, for commands that must succeed. @throws Error with the output of docker if it failed */
export async function dockerMust(args: readonly string[], env: Environment = {}): Promise<string> {
  const { exitCode, stdout, all } = await docker(args, env);
  if (exitCode !== 0) throw new Error(`docker ${args.join(' ')}: exit code ${exitCode}\n${all}`);
  return stdout;
}

/** Builds the image and prepares a project; everything of it is removed after the file's tests. */
export async function buildStack(files: readonly string[]): Promise<Stack> {
  const project = `db-init-e2e-${randomBytes(4).toString('hex')}`;
  const prefix = ['compose', '--project-name', project, ...files.flatMap((file) => ['--file', file])];
  // any free port of the machine; and neither a .env in the checkout nor the shell may lead to a real database
  const defaults = {
    SECRET_KEY: 'only-for-tests',
    DATABASE_URL: '',
    POSTGRES_HOST: '',
    POSTGRES_PORT: '',
    POSTGRES_USER: '',
    POSTGRES_PASSWORD: '',
    POSTGRES_DB: '',
  };
  const settings = { HTTP_PORT: '0', COMPOSE_DISABLE_ENV_FILE: '1', ...defaults };
  const compose: Stack['compose'] = (args, env = {}) => docker([...prefix, ...args], { ...settings, ...env });

  const script: Stack['script'] = async (path, args, env = {}) => {
    const named = { COMPOSE_PROJECT_NAME: project, COMPOSE_FILE: files.map((file) => join(root, file)).join(':') };
    const options = { cwd: tmpdir(), env: { ...settings, ...named, ...env }, reject: false, all: true } as const;
    const { exitCode, stdout, all } = await execa(join(root, path), args, { ...options, stdin: 'ignore' });
    return { exitCode, stdout, all };
  };

  atEnd(() => compose(['down', '--volumes', '--remove-orphans', '--rmi', 'local', '--timeout', '1']));
  await dockerMust([...prefix, 'build', 'db-init'], settings);

  const idOf = async (service: string): Promise<string | null> =>
    (await dockerMust([...prefix, 'ps', '--all', '--quiet', service], settings)).trim() || null;
  const must = async (service: string): Promise<string> => {
    const id = await idOf(service);
    if (id === null) throw new Error(`There is no container of ${service}.`);
    return id;
  };

  return {
    image: `${project}-db-init`,
    compose,
    script,
    async container(service) {
      const id = await idOf(service);
      return id === null ? null : inspect(id);
    },
    async logged(service, text) {
      const id = await must(service);
      for (;;) {
        const { status } = await inspect(id);
        const { all } = await docker(['logs', id]);
        if (all.includes(text) || status === 'exited') return all;
        await setTimeout(50);
      }
    },
    async ended(service) {
      return Number(await dockerMust(['wait', await must(service)]));
    },
    async sql(statements) {
      const psql = ['psql', '-v', 'ON_ERROR_STOP=1', '-XAtq', '-h', '127.0.0.1', '-U', 'timetracker', '-c', statements];
      const password = ['--env', 'PGPASSWORD=timetracker'];
      return (await dockerMust([...prefix, 'exec', '-T', ...password, 'db', ...psql], settings)).trim();
    },
  };
}

async function inspect(id: string): Promise<Container> {
  const fields = '{{.State.Status}} {{.State.ExitCode}} {{.State.StartedAt}} {{.State.FinishedAt}}';
  const state = await dockerMust(['inspect', '--format', fields, id]);
  const [status = '', exitCode, startedAt = '', finishedAt = ''] = state.split(' ');
  return { id, status, exitCode: Number(exitCode), startedAt: new Date(startedAt), finishedAt: new Date(finishedAt) };
}
