import type { Engine } from '../../../src/model/engine.ts';
import { type Imported, type ImportedRevision, titles } from './import.ts';

/** The result of an import as Markdown: the table, notes, and the remaining work. */
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
    ...bullets([...failures, ...revisions.flatMap(describeDeviation), ...notes]),
    ...remainingWork(revisions, release),
    '',
  ].join('\n');
}

function outcome({ differences, file, failures, sqliteDeviations }: ImportedRevision, engine: Engine): string {
  if (differences[engine].length > 0) return 'not equal';
  if (file !== 'left' && (failures[engine] !== undefined || (engine === 'sqlite' && sqliteDeviations.length > 0))) {
    return `equal to ${engine === 'sqlite' ? 'PostgreSQL' : 'SQLite'}`;
  }
  return file === 'left' ? 'equal as far as written' : 'equal';
}

function describeDeviation({ id, sqliteDeviations }: ImportedRevision): string[] {
  if (sqliteDeviations.length === 0) return [];
  const shown = sqliteDeviations.slice(0, 2).join('; ');
  const more = sqliteDeviations.length > 2 ? ` (and ${sqliteDeviations.length - 2} more)` : '';
  return [
    `At ${id} db-init does on SQLite what the application does on PostgreSQL. The application's own result on SQLite differs: ${shown}${more}.`,
  ];
}

const bullets = (sentences: readonly string[]): string[] =>
  sentences.length === 0 ? [] : ['', ...sentences.map((sentence) => `- ${sentence}`)];

/** Whether no work is left before the release. */
export const isComplete = ({ revisions }: Imported): boolean =>
  revisions.every(
    ({ file, differences }) => file !== 'left' && differences.postgresql.length + differences.sqlite.length === 0,
  );

function remainingWork(revisions: readonly ImportedRevision[], release: string): string[] {
  const open = revisions.filter((revision) => !isComplete({ heads: [], notes: [], revisions: [revision] }));
  if (open.length === 0) return [];
  const points = open.flatMap(({ id, file, differences }) => [
    `- \`migrations/${id}.ts\`${file === 'left' ? '' : ' exists, but its result differs from the application’s'}`,
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
    `Finish these files, then run \`npm run release:import -- --release ${release}\` again: it runs the files ` +
      'as they are, compares, and writes the rest of the release once all is equal.',
  ];
}
