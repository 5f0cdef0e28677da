import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { type BenchServer, outputOf, timed } from './workbench.ts';

/** Another tool with the same schema in the same number of revisions. */
export interface OtherTool {
  readonly name: string;
  /** Whether it is a compiled program, which starts faster than Node.js or Python. */
  readonly compiled: boolean;
  /** Migrates an empty database to the head, or finds nothing to do. @returns seconds */
  readonly create: (url: string) => number;
  /** Migrates a database from one of its revisions to the head. @returns seconds */
  readonly upgrade: (url: string) => number;
  /** Migrates an empty database to one of its revisions, counted from 1. */
  readonly upgradeTo: (url: string, revision: number) => void;
}

/** The tools that this machine has, or can get. Prints why it leaves one out. */
export function otherTools(server: BenchServer, head: string, folder: string, revisions: number): readonly OtherTool[] {
  const dump = outputOf(join(server.bin, 'pg_dump'), ['--no-owner', '--no-acl', '--inserts', head]);
  const steps = inSteps(statementsOf(dump), revisions);
  return [
    umzug(steps, join(folder, 'umzug')),
    ...alembic(steps, join(folder, 'alembic')),
    ...dbmate(steps, join(folder, 'dbmate')),
  ];
}

/** The statements of a dump that create objects. */
function statementsOf(dump: string): readonly string[] {
  return dump
    .replaceAll(/^(?:--.*|\\.*|SET .*|SELECT pg_catalog\.set_config.*)$/gm, '')
    .split(/;$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '' && !statement.includes('alembic_version'));
}

function inSteps(statements: readonly string[], count: number): readonly (readonly string[])[] {
  const place = (step: number): number => Math.floor((statements.length * step) / count);
  return Array.from({ length: count }, (_, step) => statements.slice(place(step), place(step + 1)));
}

const numbered = (step: number): string => String(step + 1).padStart(4, '0');

/** umzug as in its README: a glob of files, the query interface, SequelizeStorage. */
function umzug(steps: readonly (readonly string[])[], folder: string): OtherTool {
  mkdirSync(join(folder, 'migrations'), { recursive: true });
  for (const [step, statements] of steps.entries()) {
    const calls = statements.map((sql) => `  await context.sequelize.query(${JSON.stringify(sql)});\n`).join('');
    const up = `exports.up = async ({ context }) => {\n${calls}};\n`;
    writeFileSync(join(folder, 'migrations', `${numbered(step)}.js`), up);
  }
  const main = join(folder, 'main.js');
  const packages = resolve('node_modules');
  writeFileSync(
    main,
    `const { Sequelize } = require(${JSON.stringify(join(packages, 'sequelize'))});
const { Umzug, SequelizeStorage } = require(${JSON.stringify(join(packages, 'umzug'))});
const sequelize = new Sequelize(process.env.DATABASE_URL, { logging: false });
const umzug = new Umzug({
  migrations: { glob: ['migrations/*.js', { cwd: __dirname }] },
  context: sequelize.getQueryInterface(),
  storage: new SequelizeStorage({ sequelize }),
  logger: undefined,
});
const to = process.argv[2];
umzug.up(to === undefined ? {} : { to: to + '.js' }).finally(() => sequelize.close());
`,
  );
  const run = (url: string, to: readonly string[]): number =>
    timed({ file: 'node', args: [main, ...to], env: { DATABASE_URL: url } });
  return {
    name: 'umzug + Sequelize',
    compiled: false,
    create: (url) => run(url, []),
    upgrade: (url) => run(url, []),
    upgradeTo: (url, revision) => void run(url, [numbered(revision - 1)]),
  };
}

/** Alembic of Debian, if it is installed, in a folder like that of `alembic init`, but without its log. */
function alembic(steps: readonly (readonly string[])[], folder: string): readonly OtherTool[] {
  const python = '/usr/bin/python3';
  if (spawnSync(python, ['-c', 'import alembic, psycopg2']).status !== 0) {
    process.stdout.write('SKIPPED: Alembic, which is not installed for /usr/bin/python3\n');
    return [];
  }
  mkdirSync(join(folder, 'versions'), { recursive: true });
  writeFileSync(join(folder, 'alembic.ini'), '[alembic]\nscript_location = %(here)s\n');
  writeFileSync(
    join(folder, 'env.py'),
    `import os
from alembic import context
from sqlalchemy import create_engine, pool
with create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`,
  );
  for (const [step, statements] of steps.entries()) {
    const calls = statements.map((sql) => `    op.execute(sa.text(${JSON.stringify(sql.replaceAll(':', '\\:'))}))\n`);
    const down = step === 0 ? 'None' : `"${numbered(step - 1)}"`;
    writeFileSync(
      join(folder, 'versions', `${numbered(step)}.py`),
      `import sqlalchemy as sa\nfrom alembic import op\nrevision = "${numbered(step)}"\ndown_revision = ${down}\n` +
        `def upgrade():\n    pass\n${calls.join('')}`,
    );
  }
  const run = (url: string, to: string): number =>
    timed({
      file: python,
      args: ['-m', 'alembic', '-c', join(folder, 'alembic.ini'), 'upgrade', to],
      env: { DATABASE_URL: url },
    });
  return [
    {
      name: 'Alembic',
      compiled: false,
      create: (url) => run(url, 'head'),
      upgrade: (url) => run(url, 'head'),
      upgradeTo: (url, revision) => void run(url, numbered(revision - 1)),
    },
  ];
}

/**
 * dbmate from its npm package. A new database gets the whole schema from one file. dbmate cannot stop at a revision, so a
 * folder with the first files makes the database of the upgrade.
 */
function dbmate(steps: readonly (readonly string[])[], folder: string): readonly OtherTool[] {
  const program = installDbmate(folder);
  if (program === null) return [];
  const folderOf = (name: string, files: readonly (readonly string[])[]): string => {
    const migrations = join(folder, name);
    mkdirSync(migrations, { recursive: true });
    for (const [step, statements] of files.entries()) {
      const up = statements.map((sql) => `${sql};\n`).join('');
      writeFileSync(join(migrations, `${numbered(step)}_step.sql`), `-- migrate:up\n${up}-- migrate:down\n`);
    }
    return migrations;
  };
  const run = (url: string, migrations: string): number =>
    timed({
      file: program,
      args: ['--no-dump-schema', '--migrations-dir', migrations, 'up'],
      env: { DATABASE_URL: `${url}?sslmode=disable` },
    });
  const [whole, all] = [folderOf('whole', [steps.flat()]), folderOf('all', steps)];
  return [
    {
      name: 'dbmate',
      compiled: true,
      create: (url) => run(url, whole),
      upgrade: (url) => run(url, all),
      upgradeTo: (url, revision) => void run(url, folderOf('first', steps.slice(0, revision))),
    },
  ];
}

/** Installs dbmate into the folder of the benchmark. @returns the program; null: it cannot be installed here */
function installDbmate(folder: string): string | null {
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries', '0'];
  const { status, stderr, error } = spawnSync('npm', ['install', '--prefix', folder, ...options, 'dbmate@2.36.0'], {
    encoding: 'utf8',
  });
  const platform = `${process.platform}-${process.arch}`;
  const program = join(folder, 'node_modules', '@dbmate', platform, 'bin', 'dbmate');
  if (status === 0 && existsSync(program)) return program;
  const [line = `npm exited with ${status}`] = error === undefined ? stderr.split('\n') : [error.message];
  const reason = status === 0 ? `its package has no program for ${platform}` : line;
  process.stdout.write(`SKIPPED: dbmate, which could not be installed: ${reason}\n`);
  return null;
}
