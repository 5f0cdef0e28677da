// Writes the texts that follow from the settings in .env.example: the settings of the compose files, and the drop-in of
// the README and of examples/. After a setting was added or moved, run `npm run compose:write`, which needs `npm run
// build`
import { readFileSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';

const { stdout: dropIn } = await execa(process.execPath, ['dist/main.js', 'compose'], {
  input: readFileSync('test/fixtures/compose/usual.yml', 'utf8'),
});
writeFileSync('examples/compose-drop-in.yml', `${dropIn}\n`);
edit(
  'README.md',
  /(?<=examples\/compose-drop-in\.yml<\/a>\)<\/summary>\s+<!-- prettier-ignore -->\s+```yaml\n)[\s\S]*?(?=\n```)/,
  dropIn,
);

// TZ is Node's own
const settings = [...readFileSync('.env.example', 'utf8').matchAll(/^#([A-Z_]+)=/gm)]
  .map(([, name = '']) => name)
  .concat('TZ');
const ofPostgres = /^(?:DATABASE_URL_FILE|POSTGRES_\w+|PG\w+|TT_SKIP_DB_CLEANUP|TT_WAIT_TIMEOUT|TT_STATEMENT_TIMEOUT)$/;
const ofSqlite = /^TT_ALLOW_NETWORK_FS$/;
for (const [file, others] of [
  ['docker-compose.yml', ofSqlite],
  ['docker-compose.sqlite.yml', ofPostgres],
] as const) {
  const lines = settings.filter((name) => !others.test(name)).map((name) => `  ${name}:\n`);
  edit(file, /(?<=^x-settings: &settings\n)(?: {2}.*\n)+/m, lines.join(''));
}

/** Replaces the text that a pattern finds. */
function edit(file: string, place: RegExp, text: string): void {
  const content = readFileSync(file, 'utf8');
  if (!place.test(content)) throw new Error(`the place to write to is not found in ${file}`);
  writeFileSync(
    file,
    content.replace(place, () => text),
  );
}
