import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';

/** A unique secret of letters and digits, which most encodings do not change. */
export const marker = (name: string): string => `Mk${createHash('sha256').update(name).digest('hex').slice(0, 10)}`;

/** Every form of a marker in a text: unchanged, in upper or lower case, and in base64 at any of the three offsets. */
function formsOf(secret: string): readonly string[] {
  const base64 = ['', '=', '=='].map((before) =>
    // the first and the last group of three bytes depend on the neighbouring bytes
    Buffer.from(`${before}${secret}`).toString('base64').slice(4, -8),
  );
  return [secret.toLowerCase(), Buffer.from(secret).toString('hex'), ...base64];
}

/** The names of the secrets that a text contains. */
export function leaksIn(text: string, secrets: Readonly<Record<string, string>>): string[] {
  const lowerCase = text.toLowerCase();
  return Object.entries(secrets)
    .filter(([, secret]) => formsOf(secret).some((form) => text.includes(form) || lowerCase.includes(form)))
    .map(([name]) => name);
}

/**
 * Everything in a folder as one text: the paths, and the contents of files and of archive entries.
 * @param rows whether the database in an archive is read too: it contains the rows of the database
 */
export async function everythingIn(folder: string, rows: boolean): Promise<string> {
  const texts: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    texts.push(path);
    if (!entry.isFile() || /\.db\b/.test(entry.name)) continue;
    const bytes = await readFile(path);
    if (!entry.name.endsWith('.zip')) texts.push(bytes.toString('latin1'));
    else {
      for (const member of new AdmZip(bytes).getEntries()) {
        if (rows || !member.entryName.startsWith('db.'))
          texts.push(member.entryName, member.getData().toString('latin1'));
      }
    }
  }
  return texts.join('\n');
}
