import { shownArchive } from './next-steps.ts';
import type { ArchiveObject } from '../errors/failure.ts';
import { shortened } from '../platform/printable.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import { count } from './format.ts';

/** Objects that are named one by one. */
const namedObjects = 40;

/** An archive that holds objects which TimeTracker does not make. */
export function describeUnknownObjects(archive: string, objects: readonly ArchiveObject[], commands: Commands): Notice {
  return {
    title: `The archive holds what TimeTracker does not make: ${shownArchive(archive)}`,
    happened: [
      'Nothing of it was run, for whoever made the archive decides what such objects do:',
      ...listObjects(objects),
    ],
    safe: 'nothing was changed, and nothing of the archive was left behind.',
    options: [
      `See which other backups there are, and take one of them.\n${commands.backups}\n${commands.restore}`,
      'If you made the archive yourself and know these objects, load it as it is. Its code then runs with the rights of db-init.\n' +
        commands.run('restore', '--trust-archive', archive),
    ],
  };
}

/** What they are, and what they could do, a line each. */
export function listObjects(objects: readonly ArchiveObject[]): readonly string[] {
  const more = objects.length - namedObjects;
  return [
    ...objects.slice(0, namedObjects).map(describeObject),
    ...(more > 0 ? [`- and ${count(more, 'other object')}`] : []),
  ];
}

function describeObject({ type, name, statement }: ArchiveObject): string {
  const effect =
    effects.find(([kinds]) => kinds.test(type))?.[1] ?? 'a statement of a kind that dumps of TimeTracker lack';
  const what = type === '' ? shortened(statement) : `${type.toLowerCase()} ${shortened(name)}`;
  return `- ${what}: ${effect}`;
}

/** What an object could do, by the words of pg_dump and SQLite for its kind. */
const effects: readonly (readonly [RegExp, string])[] = [
  [/^EVENT TRIGGER$/, 'runs code whenever the schema is changed'],
  [/TRIGGER/, 'runs code whenever rows of its table are changed'],
  [
    /^(?:FUNCTION|PROCEDURE|AGGREGATE|TRANSFORM|PROCEDURAL LANGUAGE)$/,
    'is code, and may stand in for a function of the server',
  ],
  [/^RULE$/, 'turns statements on its table into others'],
  [/^(?:POLICY|ROW SECURITY)$/, 'hides rows, or refuses changes'],
  [/MATERIALIZED VIEW/, 'runs its query while it is loaded'],
  [/VIEW/, 'is a stored query, which may call functions'],
  [/^EXTENSION$/, 'installs code on the server'],
  [/FOREIGN|SERVER|USER MAPPING|SUBSCRIPTION|PUBLICATION/, 'connects to other servers or files'],
  [/^(?:DOMAIN|TYPE|SHELL TYPE)$/, 'is a type whose rules may call functions'],
  [/OPERATOR|CAST|COLLATION|CONVERSION|ACCESS METHOD|TEXT SEARCH/, 'may stand in for one of the server'],
  [/BLOB|LARGE OBJECT/, 'is data outside of tables'],
  [/^INDEX/, 'is an index with an expression, or of an unknown shape'],
  [/DATA$/, 'holds rows as statements, or with statements among them'],
  [
    /^(?:TABLE|DEFAULT|CONSTRAINT|FK CONSTRAINT|CHECK CONSTRAINT|SEQUENCE.*)$/,
    'has a definition with parts that could run code',
  ],
];
