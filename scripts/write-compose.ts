// Writes what is made from the settings in .env.example: the drop-in of the README and of examples/.
// To be run after a setting was added or moved, and after `npm run build`: npm run compose:write
import { readFileSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';

const { stdout: dropIn } = await execa('./entrypoint', ['compose'], {
  input: readFileSync('test/fixtures/compose/usual.yml', 'utf8'),
});
writeFileSync('examples/compose-drop-in.yml', `${dropIn}\n`);
edit(
  'README.md',
  /(?<=examples\/compose-drop-in\.yml<\/a>\)<\/summary>\s+<!-- prettier-ignore -->\s+```yaml\n)[\s\S]*?(?=\n```)/,
  dropIn,
);

/** Puts a text into the place that a pattern finds. */
function edit(file: string, place: RegExp, text: string): void {
  const content = readFileSync(file, 'utf8');
  if (!place.test(content)) throw new Error(`the place to write to is not found in ${file}`);
  writeFileSync(
    file,
    content.replace(place, () => text),
  );
}
