import type { Engine } from '../../../src/model/engine.ts';
import { type Imported, type ImportedRevision, titles } from './import.ts';

/** What an import did, as Markdown: the table, what was seen beside it, and what is left to do. */
export function renderTable({ revisions, notes, heads }: Imported, release: string): string {
  if (revisions.length === 0) {
    return [
      `TimeTracker ${release} brings no revision: it is at ${heads.join(', ')}, as the release before.`,
      ...bullets(notes),
      '',
    ].join('\n');
  }
  const rows = revisions.map((revision) => {
    const cells = [
      revision.id,
      revision.does,
      revision.file,
      outcome(revision, 'postgresql'),
      outcome(revision, 'sqlite'),
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  });
  const failures = revisions.flatMap(({ id, failures: told }) =>
    (['postgresql', 'sqlite'] as const).flatMap((engine) => {
      const reason = told[engine];
      return reason === undefined
        ? []
        : [
            `The application's own ${id} fails on ${titles[engine]}: ${reason.replace(/\.$/, '')}. The expected result is that of the other engine.`,
          ];
    }),
  );
  return [
    '| revision | what it does | file | PostgreSQL | SQLite |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    ...bullets([...failures, ...revisions.flatMap(sparedText), ...notes]),
    ...whatIsLeft(revisions, release),
    '',
  ].join('\n');
}

function outcome({ differences, file, failures, spared }: ImportedRevision, engine: Engine): string {
  if (differences[engine].length > 0) return 'not equal';
  if (file !== 'left' && (failures[engine] !== undefined || (engine === 'sqlite' && spared.length > 0))) {
    return `equal to ${engine === 'sqlite' ? 'PostgreSQL' : 'SQLite'}`;
  }
  return file === 'left' ? 'equal as far as written' : 'equal';
}

function sparedText({ id, spared }: ImportedRevision): string[] {
  if (spared.length === 0) return [];
  const shown = spared.slice(0, 2).join('; ');
  const more = spared.length > 2 ? ` (and ${spared.length - 2} more)` : '';
  return [
    `At ${id} db-init does on SQLite what the application does on PostgreSQL. The application's own SQLite comes out otherwise: ${shown}${more}.`,
  ];
}

const bullets = (sentences: readonly string[]): string[] =>
  sentences.length === 0 ? [] : ['', ...sentences.map((sentence) => `- ${sentence}`)];

/** Whether somebody has to do something before the release can be made. */
export const isWhole = ({ revisions }: Imported): boolean =>
  revisions.every(
    ({ file, differences }) => file !== 'left' && differences.postgresql.length + differences.sqlite.length === 0,
  );

function whatIsLeft(revisions: readonly ImportedRevision[], release: string): string[] {
  const open = revisions.filter((revision) => !isWhole({ heads: [], notes: [], revisions: [revision] }));
  if (open.length === 0) return [];
  const points = open.flatMap(({ id, file, differences }) => [
    `- \`migrations/${id}.ts\`${file === 'left' ? '' : ' is there, but its result is not the application’s'}`,
    ...(['postgresql', 'sqlite'] as const).flatMap((engine) =>
      differences[engine].map((difference) => `  - ${titles[engine]}: ${difference}`),
    ),
  ]);
  return [
    '',
    'Left to do by hand:',
    '',
    ...points,
    '',
    `Write what is left in these files, then run \`npm run release:import -- --release ${release}\` again: it runs the files ` +
      'as they are, compares, and writes the rest of the release once all is equal.',
  ];
}
