import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';

/** A secret that nothing else can be taken for: letters and digits, which stay what they are in most encodings. */
export const marker = (name: string): string => `Mk${createHash('sha256').update(name).digest('hex').slice(0, 10)}`;

/** Every way in which a marker may stand in a text: as it is, in capitals or not, and in base64 at any of its three offsets. */
function formsOf(secret: string): readonly string[] {
  const base64 = ['', '=', '=='].map((before) =>
    // the first and the last group of three bytes depend on what stands beside them
    Buffer.from(`${before}${secret}`).toString('base64').slice(4, -8),
  );
  return [secret.toLowerCase(), Buffer.from(secret).toString('hex'), ...base64];
}

/** The names of the secrets that a text gives away. */
export function leaksIn(text: string, secrets: Readonly<Record<string, string>>): string[] {
  const lowerCase = text.toLowerCase();
  return Object.entries(secrets)
    .filter(([, secret]) => formsOf(secret).some((form) => text.includes(form) || lowerCase.includes(form)))
    .map(([name]) => name);
}

/**
 * All that lies in a folder as one text: the paths, what is in the files, and what is in the members of archives.
 * @param rows whether the database in an archive is read too: it holds what the database holds
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
