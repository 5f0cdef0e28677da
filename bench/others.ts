import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { type BenchServer, outputOf, timed } from './workbench.ts';

/** Another tool with the same schema in the same number of revisions. */
export interface OtherTool {
  readonly name: string;
  /** Migrates a database to the head. @returns seconds */
  readonly upgrade: (url: string) => number;
  /** Migrates a database to one of its revisions, counted from 1. */
  readonly upgradeTo: (url: string, revision: number) => void;
}

/** The tools that this machine has. dbmate is one file, which must be downloaded by hand. */
export function otherTools(server: BenchServer, head: string, folder: string, revisions: number): readonly OtherTool[] {
  const dump = outputOf(join(server.bin, 'pg_dump'), ['--no-owner', '--no-acl', '--inserts', head]);
  const steps = inSteps(statementsOf(dump), revisions);
  return [umzug(steps, join(folder, 'umzug')), ...alembic(steps, join(folder, 'alembic'))];
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
    upgrade: (url) => run(url, []),
    upgradeTo: (url, revision) => void run(url, [numbered(revision - 1)]),
  };
}

/** Alembic of Debian, if it is installed, in a folder made by `alembic init`. */
function alembic(steps: readonly (readonly string[])[], folder: string): readonly OtherTool[] {
  const python = '/usr/bin/python3';
  if (spawnSync(python, ['-c', 'import alembic, psycopg2']).status !== 0) return [];
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
      upgrade: (url) => run(url, 'head'),
      upgradeTo: (url, revision) => void run(url, numbered(revision - 1)),
    },
  ];
}
