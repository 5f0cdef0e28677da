import { type ReleaseRange, renderRange } from '../../src/releases.ts';

/** The facts that documents mention. */
export interface ReleaseFacts {
  /** db-init's own version. */
  readonly version: string;
  readonly release: string;
  readonly heads: readonly string[];
  /** The number of revisions. */
  readonly revisions: number;
}

/** The files that mention the release. */
export const filesWithMentions: readonly string[] = [
  'README.md',
  'Dockerfile',
  'docker-compose.yml',
  'docker-compose.sqlite.yml',
  'examples/kubernetes-backups.yaml',
  'examples/kubernetes-init-container.yaml',
  'docs/adopt.md',
  'docs/backup.md',
  'docs/performance.md',
  'docs/repair.md',
  'docs/reset.md',
  'docs/states.md',
];

/** Replaces every mention in a text by the current facts. Pure and idempotent. */
export function writeMentions(text: string, { version, release, heads, revisions }: ReleaseFacts): string {
  const head = heads.join(', ');
  return (
    text
      .replaceAll(/(?<=ghcr\.io\/(?:drytrix\/timetracker|OWNER\/db-init):)v?\d+\.\d+\.\d+/g, release)
      .replaceAll(/(?<=\b(?:all|the same|through) )\d+(?= revisions)/g, String(revisions))
      .replaceAll(/(?<=healthy and current \()[^)…]+(?=\))/g, head)
      .replaceAll(/(?<=^ +(?:heads|revisions): +)\d.*$/gm, head)
      // a column of a table: keep the position of what follows
      .replaceAll(/(?<= (?:manual|safety) +(?:postgresql|sqlite) +)\S+ +/g, (cell) => head.padEnd(cell.length))
      .replaceAll(
        /(?<=db-init )\d+\.\d+\.\d+ for TimeTracker \S+ \([^)]*\)/g,
        `${version} for TimeTracker ${release} (${head})`,
      )
      .replaceAll(/(?<=org\.opencontainers\.image\.version=")[^"]*/g, version)
      .replaceAll(/(?<=org\.timetracker\.release=")[^"]*/g, release)
      .replaceAll(/(?<=org\.timetracker\.heads=")[^"]*/g, head)
  );
}

/** docs/releases.md: which releases of TimeTracker are at which revisions. */
export function renderReleases(releases: readonly ReleaseRange[], { release, heads, revisions }: ReleaseFacts): string {
  const rows = releases
    .toReversed()
    .map(
      (entry) => `| ${renderRange(entry)}${entry.inferred === true ? ' (inferred)' : ''} | ${entry.heads.join(', ')} |`,
    );
  return `# Releases of TimeTracker and their revisions

This db-init is for TimeTracker ${release}: ${revisions} revisions, up to ${heads.join(', ')}. It migrates databases of all
releases since ${releases[0]?.from}. \`db-init version\` prints the release of an image.

The table shows the rows of \`alembic_version\` after each release, one for each head. A release that is not in the list
has a revision between those of its neighbours. "Inferred" means that the rows follow from the neighbours.

| TimeTracker | rows of alembic_version |
| --- | --- |
${rows.join('\n')}

If db-init does not know the revision of a database, it refuses with exit code 13: a newer release or another build has
migrated it. Use a newer db-init, or accept the database unchecked with \`TT_ALLOW_NEWER_SCHEMA=true\`.

\`npm run release:write\` writes this page from \`src/releases.ts\`.
`;
}
