import { execaSync } from 'execa';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { askApplication } from '../../scripts/release/import/application.ts';
import { type Imported, importRelease } from '../../scripts/release/import/import.ts';
import { openProject, type Project } from '../../scripts/release/import/project.ts';
import { isComplete, renderTable } from '../../scripts/release/import/table.ts';
import { withWorkspace } from '../../scripts/release/import/workspace.ts';
import { reasonOf } from '../../src/errors/failure.ts';
import { releaseGraph } from '../../src/migration/revisions.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = join(import.meta.dirname, '../..');
const release = '99.0.0';

/** A Python with the packages of the application's migrations. Debian's packages belong to Debian's own Python. */
const python = ['python3', '/usr/bin/python3'].find(
  (program) =>
    execaSync(program, ['-c', 'import alembic, psycopg2'], { reject: false, stdio: 'ignore' }).exitCode === 0,
);

/** A copy of the project's tree, as far as an import reads and writes it. */
async function copyOfTree(): Promise<string> {
  const folder = await temporaryDirectory();
  for (const part of ['migrations', 'src', 'test/fixtures/history']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  return folder;
}

/** Imports the small application of test/fixtures/alembic-project, which begins where db-init is. */
function importInto(project: Project, signal: AbortSignal, onProgress: (message: string) => void): Promise<Imported> {
  const settings = join(root, 'test/fixtures/alembic-project/alembic.ini');
  const command = `ALEMBIC_BASE=${releaseGraph.heads.join()} ${python} -m alembic -c '${settings}'`;
  return withWorkspace((workspace) =>
    importRelease({
      release,
      application: askApplication(command, workspace.folder, signal),
      project,
      workspace,
      signal,
      onProgress,
    }),
  );
}

/** A revision that was written by hand before the import: it adds rows, which an import does not write. */
const byHand = `export const revision = 'r308_rows';
export const parents: readonly string[] = ['r307_drop'];

export const up = async ({ context: schema }) => {
  await schema.run("INSERT INTO import_briefs (text) VALUES ('first'), ('second')");
};
`;

const title = 'an import of a release from an application';
const suite: typeof describe | typeof describe.skip = python === undefined ? describe.skip : describe;
suite(python === undefined ? `${title} [skipped: python3 lacks alembic or psycopg2]` : title, () => {
  let folder: string;
  let imported: Imported;
  let interrupted: readonly string[];
  let reason: string | null;

  const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const migration = (id: string): string => text(`migrations/${id}.ts`);
  const outcome = (id: string) => {
    const found = imported.revisions.find((revision) => revision.id === id);
    return { file: found?.file, differences: found?.differences };
  };
  const equal = { postgresql: [], sqlite: [] };

  beforeAll(async () => {
    folder = await copyOfTree();
    const project = openProject(folder);
    const before = readdirSync(join(folder, 'migrations'));
    const controller = new AbortController();
    // like Ctrl-C in the middle of the import
    const stopped = importInto(project, controller.signal, (message) => {
      if (message.startsWith('2 of')) controller.abort(new Error('interrupted'));
    });
    reason = await stopped.then(() => null, reasonOf);
    interrupted = readdirSync(join(folder, 'migrations')).filter((file) => !before.includes(file));
    writeFileSync(join(folder, 'migrations/r308_rows.ts'), byHand);
    imported = await importInto(project, new AbortController().signal, () => undefined);
  }, 600_000);

  it('leaves only complete files if it is interrupted', () => {
    expect({ reason, interrupted }).toEqual({ reason: 'interrupted', interrupted: ['r301_create.ts'] });
  });

  it('describes rows that no step explains in a migration that fails', () => {
    expect(migration('r304_backfill')).toContain("await schema.addColumn('clients', 'import_label', 'VARCHAR(250)');");
    expect(migration('r304_backfill')).toContain('not yet written: PostgreSQL: clients: 5 rows hold something else');
    expect(migration('r304_backfill')).toContain('where the steps leave NULL');
    expect(migration('r304_backfill')).toContain('the server was told: UPDATE clients SET import_label');
    expect(outcome('r304_backfill').file).toBe('left');
    expect(isComplete(imported)).toBe(false);
  });

  it.each(['r301_create', 'r308_rows'])('runs and compares the existing %s, and does not change it', (id) => {
    expect(outcome(id)).toEqual({ file: 'kept', differences: equal });
    expect(migration('r308_rows')).toBe(byHand);
  });

  it.each([
    'r302_left_branch',
    'r302_right_branch',
    'r303_merge',
    'r305_sqlite_fails',
    'r306_alter',
    'r307_drop',
    'r309_postgres_fails',
  ])('writes a complete %s with the same result', (id) => {
    expect(outcome(id)).toEqual({ file: 'written', differences: equal });
  });

  it('writes migrations in the style of the others', () => {
    expect(migration('r301_create')).toContain(
      `export const parents: readonly string[] = ['${releaseGraph.heads.join("', '")}'];`,
    );
    expect(migration('r301_create')).toContain("await schema.createEnum('importmood', ['calm', 'excited']);");
    expect(migration('r301_create')).toContain("owner_id: 'INTEGER REFERENCES users(id) ON DELETE SET NULL',");
    expect(migration('r302_right_branch')).toContain("renameColumn('clients', 'contact_person', 'import_contact')");
    expect(migration('r302_right_branch')).toContain("renameTable('import_brief', 'import_briefs')");
    expect(migration('r302_left_branch')).toContain('import_colour: "VARCHAR(7) NOT NULL DEFAULT \'#3b82f6\'",');
    expect(migration('r303_merge')).toContain("['r302_left_branch', 'r302_right_branch']");
    expect(migration('r303_merge')).toContain('up: Migration = async () => {};');
    expect(migration('r306_alter')).toContain("dropDefault('tasks', 'import_state')");
    expect(migration('r307_drop')).toContain("schema.dropColumn('import_boards', 'options')");
  });

  it('uses the result of the other engine as expected if the application fails on one', () => {
    const failures = imported.revisions.flatMap(({ id, failures: told }) =>
      Object.keys(told).map((engine) => [id, engine]),
    );
    expect(failures).toEqual([
      ['r305_sqlite_fails', 'sqlite'],
      ['r309_postgres_fails', 'postgresql'],
    ]);
    expect(migration('r305_sqlite_fails')).toContain('CONSTRAINT fk_tasks_import_link REFERENCES import_boards(id)');
  });

  it('writes the graph, the release and the facts', () => {
    const order = [...text('migrations/graph.ts').matchAll(/id: '(r30\w+)'/g)].map(([, id]) => id);
    expect(order).toEqual(imported.revisions.map(({ id }) => id));
    expect(text('src/releases.ts')).toContain(`  single('${release}', 'r309_postgres_fails'),\n];`);
    for (const engine of ['postgres', 'sqlite'] as const) {
      const facts = openProject(folder).readFacts(engine);
      expect(facts.map(({ revision }) => revision)).toEqual([...releaseGraph.revisions.map(({ id }) => id), ...order]);
      expect(JSON.stringify(facts.at(-1)?.changes)).toContain('import_notes');
    }
  });

  it('prints a table of all revisions, and what is left to do', () => {
    const table = renderTable(imported, release);
    const cells = [...table.matchAll(/^\| (r3\S+) \| .* \| (\w+) \| ([^|]+) \| ([^|]+) \|$/gm)].map((match) =>
      match.slice(1),
    );
    expect(cells).toEqual([
      ['r301_create', 'kept', 'equal', 'equal'],
      ['r302_right_branch', 'written', 'equal', 'equal'],
      ['r302_left_branch', 'written', 'equal', 'equal to PostgreSQL'],
      ['r303_merge', 'written', 'equal', 'equal'],
      ['r304_backfill', 'left', 'not equal', 'not equal'],
      ['r305_sqlite_fails', 'written', 'equal', 'equal to PostgreSQL'],
      ['r306_alter', 'written', 'equal', 'equal to PostgreSQL'],
      ['r307_drop', 'written', 'equal', 'equal'],
      ['r308_rows', 'kept', 'equal', 'equal'],
      ['r309_postgres_fails', 'written', 'equal to SQLite', 'equal'],
    ]);
    expect(table).toContain('Left to do by hand:\n\n- `migrations/r304_backfill.ts`');
    expect(table).toContain(`npm run release:import -- --release ${release}`);
  });
});
