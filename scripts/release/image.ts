/** What the publication of a version of db-init needs. */
export interface ImageFacts {
  /** Of package.json. */
  readonly version: string;
  /** Of TimeTracker, that this db-init is for: `5.10.0`. */
  readonly release: string;
  readonly heads: readonly string[];
  /** `https://github.com/OWNER/REPOSITORY` */
  readonly source: string;
  /** The commit. */
  readonly revision: string;
  /** ISO 8601. */
  readonly created: string;
  /** The base image, `node:24-trixie-slim`, from the Dockerfile. */
  readonly base: string;
}

/** The tags, the most precise one first. @param image `ghcr.io/OWNER/db-init` */
export function imageTags(
  image: string,
  { release, version }: Pick<ImageFacts, 'release' | 'version'>,
): readonly string[] {
  return [`${release}-${version}`, release, 'latest'].map((tag) => `${image}:${tag}`);
}

/** https://github.com/opencontainers/image-spec/blob/main/annotations.md */
export function imageLabels(facts: ImageFacts): readonly string[] {
  const { version, release, heads, source, revision, created, base } = facts;
  const labels = {
    'org.opencontainers.image.title': 'db-init',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.source': source,
    'org.opencontainers.image.url': source,
    'org.opencontainers.image.documentation': `${source}/blob/${revision}/README.md`,
    'org.opencontainers.image.revision': revision,
    'org.opencontainers.image.created': created,
    'org.opencontainers.image.base.name': `docker.io/library/${base}`,
    'org.opencontainers.image.licenses': 'GPL-3.0-or-later',
    'org.timetracker.release': release,
    'org.timetracker.heads': heads.join(','),
  };
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`);
}

/** The image that the Dockerfile's last stage is made from. @throws Error if it names none */
export function baseOf(dockerfile: string): string {
  const base = /^ARG RUNTIME_IMAGE=(\S+)$/m.exec(dockerfile)?.[1];
  if (base === undefined) throw new Error('Dockerfile has no line ARG RUNTIME_IMAGE=');
  return base;
}

/** The section of a version in CHANGELOG.md, without its heading. @throws Error if there is none, or nothing in it */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m);
  const section = sections.find((text) => /^\[?([^\]\s]+)/.exec(text)?.[1] === version);
  const notes = section?.replace(/^.*\n/, '').trim() ?? '';
  if (notes !== '') return `${notes}\n`;
  throw new Error(
    `CHANGELOG.md says nothing of ${version}: give what stands under "Unreleased" the heading "## ${version}"`,
  );
}
