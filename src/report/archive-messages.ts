import { type Describers, describerOf } from './by-kind.ts';
import { basename } from 'node:path';
import type { ArchiveFault, ArchiveObject } from '../errors/obstacles.ts';
import type { UnusableArchive } from '../model/unusable-archive.ts';
import { capitalize, newerTools, shownArchive } from './next-steps.ts';
import { limitVariables, reasonOfFault } from './archive-reasons.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import { formatBytes, count } from './format.ts';
import type { ArchiveDefect } from '../model/archive-defect.ts';
import { describeOtherFile, describeWrapped, packAgain, restoreFile } from './other-formats.ts';
import { shortened } from '../platform/printable.ts';

const safe = 'nothing was changed, and nothing of the archive was left behind.';

const another = (commands: Commands): string =>
  `See which other backups there are, and restore one of them.\n${commands.backups}\n${commands.restore}`;

/** Why an archive is not restored. @param atStart whether TT_RESTORE_FROM asked for it: then every start ends here */
export function describeRejection(archive: string, fault: ArchiveFault, atStart: boolean, commands: Commands): Notice {
  const notice = describeFault(archive, fault, commands);
  if (!atStart) return notice;
  const without = `Or start without it: remove TT_RESTORE_FROM from .env.\n${commands.gate}`;
  return { ...notice, options: [...notice.options, without] };
}

interface Context {
  readonly archive: string;
  /** The title of most of these notices. */
  readonly title: string;
  readonly commands: Commands;
}

type Table = Describers<ArchiveFault, Context, Notice>;

/** There is no whole archive. */
const missingArchives = {
  missing: (fault, { archive, commands }) => ({
    title: `The archive does not exist: ${basename(archive)}`,
    happened: [
      fault.places.length === 1 ? `${archive} does not exist.` : `Neither ${fault.places.join(' nor ')} exists.`,
    ],
    safe,
    options: [
      `See which backups there are; the name without a folder is enough.\n${commands.backups}`,
      'If the archive is in another folder, copy it into the backup folder, and restore it: write its path instead of ' +
        `what follows the sign <.\n${commands.upload(basename(archive))}\n${commands.run('restore', basename(archive))}`,
    ],
  }),
  access: (fault, { archive, title, commands }) => ({
    title,
    happened: [`${capitalize(reasonOfFault(fault))}.`],
    safe,
    options: [
      `Give the file to that user, then try again.\n${commands.give(archive)}\n${commands.run('restore', archive)}`,
      another(commands),
    ],
  }),
  piece: (fault, { title, commands }) => ({
    title,
    happened: [`${capitalize(reasonOfFault(fault))}.`],
    safe,
    options: [
      'If the pieces were cut from one file (backup.zip.001, backup.zip.002), join them in the order of their numbers, in their folder.\n' +
        `  cat backup.zip.0* > whole.zip\n${restoreFile('whole.zip', commands)}`,
      'If it is a split ZIP archive (backup.z01, backup.zip), make one file of it with zip.\n' +
        `  zip -s 0 backup.zip --out whole.zip\n${restoreFile('whole.zip', commands)}`,
      another(commands),
    ],
  }),
  stream: (fault, { commands }) => ({
    title: `No archive came on standard input`,
    happened: [`${formatBytes(fault.received)} were received, and are not a whole archive: ${reasonOfFault(fault)}.`],
    safe,
    options: [
      'Check that the program that sends the archive ends without an error, and send it again. In bash, `set -o pipefail` ' +
        'makes a pipe fail if one of its programs fails; docker compose run needs -T, docker run needs -i.',
      `If it is not an archive of TimeTracker, save it as a file: db-init then says how to restore it.\n${restoreFile('FILE', commands)}`,
      another(commands),
    ],
  }),
} satisfies Partial<Table>;

/** The file is no archive of TimeTracker, or it lies inside of another one. */
const otherFiles = {
  'other-format': (fault, { archive, commands }) =>
    describeOtherFile(archive, fault.file, { safe, another: another(commands), commands }),
  wrapped: (fault, { archive, title, commands }) => {
    const { what, options } = describeWrapped(archive, fault.by, commands);
    return { title, happened: [`${capitalize(what)}.`], safe, options: [...options, another(commands)] };
  },
} satisfies Partial<Table>;

/** Whether another program packed the archive with a password, or in a way that db-init does not unpack. */
const isPackedOtherwise = (defect: ArchiveDefect): boolean =>
  defect.kind === 'entry' && (defect.defect === 'encrypted' || defect.defect === 'compression');

function mendInvalid(archive: string, defect: ArchiveDefect, commands: Commands): string {
  if (isPackedOtherwise(defect)) return packAgain(archive, commands);
  if (defect.kind === 'name' && (defect.defect === 'not-utf8' || defect.defect === 'backslash')) {
    return (
      'If somebody unpacked a backup and packed it again, restore the original. If there is none, unpack it, correct the ' +
      'name of the file, and pack it as a ZIP archive whose names are UTF-8 and have slashes.'
    );
  }
  return 'If it is a copy, copy it again, and compare the size and checksum (sha256sum) of both files.';
}

/** The archive cannot be read or must not be loaded. */
const refusedArchives = {
  'unknown-objects': (fault, { archive, commands }) => describeUnknownObjects(archive, fault.objects, commands),
  invalid: (fault, { archive, title, commands }) => ({
    title,
    happened: [`${capitalize(reasonOfFault(fault))}.`],
    safe,
    options: [mendInvalid(archive, fault.defect, commands), another(commands)],
  }),
  'too-large': (fault, { title, commands }) => ({
    title,
    happened: [`${capitalize(reasonOfFault(fault))}.`, 'Archives that are made to fill a disk look like this.'],
    safe,
    options: [
      `If you trust its source, raise ${limitVariables[fault.exceeded.kind]} in .env and try again.`,
      another(commands),
    ],
  }),
  unusable: (fault, { title, commands }) => ({
    title,
    happened: [`${capitalize(reasonOfFault(fault))}.`],
    safe,
    options: [
      ...(mayFitNewer(fault.reason)
        ? ['Use the image of db-init that belongs to the release of TimeTracker that made the archive, or a newer one.']
        : []),
      another(commands),
    ],
  }),
  'no-tool': (fault, { title, commands }) => ({
    title,
    happened: [`${capitalize(reasonOfFault(fault))}.`],
    safe,
    options: [newerTools, another(commands)],
  }),
} satisfies Partial<Table>;

/** Whether a newer image may be able to use the archive. */
function mayFitNewer(reason: UnusableArchive): boolean {
  switch (reason.kind) {
    case 'dump-header':
    case 'dump':
    case 'entry':
    case 'unknown-revisions':
    case 'unrepairable':
      return true;
    case 'refused':
      return reason.refusal.state.kind !== 'fresh';
    case 'database-damaged':
    case 'database-unreadable':
    case 'rows-differ':
    case 'revisions-differ':
    case 'no-revision':
    case 'unfit-names':
    case 'no-room':
      return false;
  }
}

const describeByKind = describerOf<ArchiveFault, Context, Notice>({
  ...missingArchives,
  ...otherFiles,
  ...refusedArchives,
});

function describeFault(archive: string, fault: ArchiveFault, commands: Commands): Notice {
  const title = `The archive cannot be restored: ${shownArchive(archive)}`;
  return describeByKind(fault.kind, fault, { archive, title, commands });
}

/** Said before an archive is read from standard input. */
export function describeReceiving(folder: string): string {
  return `Receiving an archive on standard input into ${folder}.`;
}

/** An archive that holds objects which TimeTracker does not make. */
export function describeUnknownObjects(archive: string, objects: readonly ArchiveObject[], commands: Commands): Notice {
  return {
    title: `The archive contains objects that TimeTracker does not make: ${shownArchive(archive)}`,
    happened: [
      'Nothing of it was run, because such objects do what the maker of the archive wants:',
      ...listObjects(objects),
    ],
    safe: 'nothing was changed, and nothing of the archive was left behind.',
    options: [
      `See which other backups there are, and restore one of them.\n${commands.backups}\n${commands.restore}`,
      'If you made the archive yourself and know these objects, load it as it is. Its code then runs with the rights of db-init.\n' +
        commands.run('restore', '--trust-archive', archive),
    ],
  };
}

/** So many objects are all named. */
const mostNamed = 40;
/** How many of each kind are named if there are more: many harmless ones must not hide one that runs code. */
const namedOfKind = 5;
/** How many kinds are listed. There are fewer, but an archive made to do harm may have any. */
const listedKinds = 40;

/** What they are, and what they could do: a line for each, kind by kind, and if they are many, a count for the rest of a kind. */
export function listObjects(objects: readonly ArchiveObject[]): readonly string[] {
  const kinds = new Map<string, ArchiveObject[]>();
  for (const object of objects) {
    const others = kinds.get(object.type);
    if (others === undefined) kinds.set(object.type, [object]);
    else others.push(object);
  }
  const sorted = [...kinds.values()].toSorted(([one], [other]) => rankOf(one?.type) - rankOf(other?.type));
  const hidden = sorted.slice(listedKinds).flat().length;
  return [
    ...sorted
      .slice(0, listedKinds)
      .flatMap((each) => listKind(each, objects.length > mostNamed ? namedOfKind : mostNamed)),
    ...(hidden > 0 ? [`- and ${count(hidden, 'object')} of other kinds`] : []),
  ];
}

function listKind(objects: readonly ArchiveObject[], named: number): readonly string[] {
  const more = objects.length - named;
  const [{ type } = { type: '' }] = objects;
  const rest = type === '' ? count(more, 'more statement') : `${more} more of the kind ${type.toLowerCase()}`;
  return [...objects.slice(0, named).map(describeObject), ...(more > 0 ? [`- and ${rest}`] : [])];
}

function describeObject({ type, name, statement }: ArchiveObject): string {
  const effect = effects[rankOf(type)]?.[1] ?? 'a statement of a kind that dumps of TimeTracker lack';
  const what = type === '' ? shortened(statement) : `${type.toLowerCase()} ${shortened(name)}`;
  return `- ${what}: ${effect}`;
}

/** The place of a kind among `effects`; after all of them if it is not known. */
function rankOf(type = ''): number {
  const rank = effects.findIndex(([kinds]) => kinds.test(type));
  return rank < 0 ? effects.length : rank;
}

/** What an object could do, by the words of pg_dump and SQLite for its kind. What runs code comes first. */
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
