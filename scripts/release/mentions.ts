import { type Released, rangeOf } from '../../src/releases.ts';

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
export const mentioning: readonly string[] = [
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
export function renderReleases(releases: readonly Released[], { release, heads, revisions }: ReleaseFacts): string {
  const rows = releases
    .toReversed()
    .map((entry) => `| ${rangeOf(entry)}${entry.inferred === true ? ' (inferred)' : ''} | ${entry.heads.join(', ')} |`);
  return `# Releases of TimeTracker and their revisions

This db-init is for TimeTracker ${release}: ${revisions} revisions, up to ${heads.join(', ')}. It brings databases of all
releases since ${releases[0]?.from} there. \`db-init version\` says what an image is for.

The rows are what a release leaves in \`alembic_version\`, one for each head. A release that is not in the list is at a
revision between those of its neighbours. "Inferred" is what the neighbours tell, not the release itself.

| TimeTracker | rows of alembic_version |
| --- | --- |
${rows.join('\n')}

A database at a revision that is not db-init's is refused with exit code 13: it was migrated by a newer release, or by
a build of somebody's own. Take a newer db-init, or let it pass unchecked with \`TT_ALLOW_NEWER_SCHEMA=true\`.

\`npm run release:write\` writes this page from \`src/releases.ts\`.
`;
}
