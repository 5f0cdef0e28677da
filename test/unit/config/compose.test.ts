import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const known = [...read('.env.example').matchAll(/^#(TT_\w+|FLASK_ENV)=/gm)].map(([, variable = '']) => variable);

// where the volumes are mounted says the compose file itself
const folders = ['TT_STATIC_UPLOAD_FOLDER', 'TT_ATTACHMENT_FOLDER'];
const postgresOnly = ['TT_SKIP_DB_CLEANUP', 'TT_WAIT_TIMEOUT', 'TT_STATEMENT_TIMEOUT'];

describe.each([
  ['docker-compose.yml', [...folders, 'TT_ALLOW_NETWORK_FS']],
  ['docker-compose.sqlite.yml', [...folders, ...postgresOnly]],
])('%s', (file, others) => {
  it('hands every setting on to db-init that has a meaning there', () => {
    const [, service = ''] = /^ {2}db-init:\n((?: {4}.*\n|\n)*)/m.exec(read(file)) ?? [];
    const handed = [...service.matchAll(/^ {6}(TT_\w+|FLASK_ENV):$/gm)].map(([, variable = '']) => variable);
    expect(handed.toSorted()).toEqual(known.filter((variable) => !others.includes(variable)).toSorted());
  });
});
