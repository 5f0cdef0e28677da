/**
 * Imports a release of TimeTracker: runs the application's own Alembic on databases, and writes migrations from the
 * result.
 *
 *     npm run release:import -- --release 5.18.0 [--application COMMAND]
 *
 * COMMAND runs the application's Alembic on the database in DATABASE_URL, and takes `heads`, `history` and
 * `upgrade REVISION`. Exit code 0: everything is written; 1: the import failed; 2: something is left to do by hand. The
 * import may be interrupted and repeated: it runs and compares existing files, and never overwrites them.
 */
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { reasonOf } from '../src/errors/failure.ts';
import { askApplication } from './release/import/application.ts';
import { importRelease } from './release/import/import.ts';
import { openProject } from './release/import/project.ts';
import { isComplete, renderTable } from './release/import/table.ts';
import { withWorkspace } from './release/import/workspace.ts';

const usage = 'usage: npm run release:import -- --release 5.18.0 [--application COMMAND]';
const say = (message: string): void => void process.stderr.write(`${message}\n`);

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => controller.abort(new Error(`interrupted by ${name}`)));
}

process.exitCode = await main(controller.signal).catch((error: unknown) => {
  if (controller.signal.aborted) {
    say('Interrupted. The written files are complete. Run the same command again to continue.');
    return 130;
  }
  say(`The release could not be imported: ${reasonOf(error)}`);
  return 1;
});

async function main(signal: AbortSignal): Promise<number> {
  const options = { release: { type: 'string' }, application: { type: 'string' } } as const;
  const { values } = parseArgs({ options });
  const release = /^v?(\d+\.\d+\.\d+)$/.exec(values.release ?? '')?.[1];
  if (release === undefined) throw new Error(`--release takes a release such as 5.18.0. ${usage}`);
  const image = `ghcr.io/drytrix/timetracker:${release}`;
  // the SQLite files are on this machine: the container must see them at the same path
  const inImage = `docker run --rm --network host -e DATABASE_URL -v "$IMPORT_FOLDER:$IMPORT_FOLDER" ${image} flask db`;
  const project = openProject('.');
  const imported = await withWorkspace((workspace) =>
    importRelease({
      release,
      application: askApplication(values.application ?? inImage, workspace.folder, signal),
      project,
      workspace,
      signal,
      onProgress: say,
    }),
  );
  process.stdout.write(renderTable(imported, release));
  if (!isComplete(imported)) return 2;
  say('writing the other files: npm run release:write');
  await execa('npm', ['run', '--silent', 'release:write'], {
    stdout: 'ignore',
    stderr: 'inherit',
    cancelSignal: signal,
  });
  return 0;
}
