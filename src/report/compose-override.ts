import { Document, isMap, type Pair, type YAMLMap } from 'yaml';
import type { Installation } from '../compose/installation.ts';
import type { Override, Remark } from '../compose/override.ts';
import { type Describers, describerOf } from './by-kind.ts';
import { composeInFolder } from './command-line.ts';

export interface OverrideContext {
  readonly installation: Installation;
  /** The names of the compose files; none if standard input was read. */
  readonly files: readonly string[];
  /** Whether passwords are left out: the text is only looked at. */
  readonly masked: boolean;
}

/** The file that puts db-init in front of the application, with what its reader has to know as comments. */
export function renderOverride(override: Override, context: OverrideContext): string {
  const { dbInit, backups, others, volumes, remarks } = override;
  const content = {
    services: {
      'db-init': context.masked ? withoutPasswords(dbInit) : dbInit,
      ...(backups === null ? {} : { 'db-init-backups': backups }),
      ...Object.fromEntries(others),
    },
    ...(volumes.length > 0 ? { volumes: Object.fromEntries(volumes.map((name) => [name, null])) } : {}),
  };
  // words that only older YAML takes for booleans, `no` among them, are put in quotes as well
  const document = new Document(content, { schema: 'yaml-1.1', aliasDuplicateObjects: false });
  const [application] = context.installation.applications;
  comment(document, [], header(context));
  comment(document, ['services', 'db-init', 'environment'], environmentComment);
  if (backups !== null) comment(document, ['services', 'db-init-backups'], backupsComment);
  comment(document, ['services', application.name, 'environment'], cleanupComment);
  for (const remark of remarks) comment(document, placeOf(remark, application.name), describe(remark));
  return document.toString({ lineWidth: 0, singleQuote: true, nullStr: '' });
}

const environmentComment = [
  'As the application has them, word for word. The others come from .env; an empty value counts as not set.',
];
const cleanupComment = ["Cleaning is db-init's job: db-init moves tables aside, and the application would drop them."];

const backupsComment = [
  'Makes backups every night, with COMPOSE_PROFILES=backups in .env.',
  'BACKUP_CRON in .env says when, in the time zone of TZ, and BACKUP_KEEP how many are kept.',
];

/** The file that compose finds by itself, and another name for where there is one already. */
const standard = 'docker-compose.override.yml';
const foundByItself = /(?:^|\/)(?:docker-)?compose\.ya?ml$/;
const overrides = /(?:^|\/)(?:docker-)?compose\.override\.ya?ml$/;

function header({ installation, files }: OverrideContext): readonly string[] {
  const { applications, address } = installation;
  const names = applications.map(({ name }) => name).join(', ');
  const database = address.kind === 'service' ? `, whose database is the service ${address.service.name}` : '';
  const own = files.some((file) => overrides.test(file)) ? 'docker-compose.db-init.yml' : standard;
  const first = files.every((file) => foundByItself.test(file));
  return [
    `Puts db-init in front of the service ${names}${database}.`,
    'Made with the command `db-init compose`.',
    ...(first
      ? [
          `Save it as ${standard} beside docker-compose.yml: compose combines both files by itself.`,
          'If your file has another name, or there are several, name all of them in .env, this one last:',
          `  COMPOSE_FILE=docker-compose.yml:${standard}`,
        ]
      : [
          `Save it as ${own}, and name all files in .env, this one last:`,
          `  COMPOSE_FILE=${[...files, own].join(':')}`,
        ]),
    '`docker compose config` shows the result, `docker compose run --rm db-init plan` shows what db-init would do.',
  ];
}

/** Where a remark stands: before the key that this path leads to. */
function placeOf(remark: Remark, application: string): readonly string[] {
  switch (remark.kind) {
    case 'attachments':
      return ['services', application, 'volumes'];
    case 'floating':
      return ['services', 'db-init', 'environment', 'TT_ALLOW_NEWER_SCHEMA'];
    case 'owner-of-folders':
    case 'sqlite-without-volume':
    case 'uncertain-paths':
      return ['services', 'db-init', 'volumes'];
    case 'named-user':
      return ['services', 'db-init', 'init'];
    case 'env-files':
      return ['services', 'db-init', 'env_file'];
    case 'translated':
    case 'hidden-value':
    case 'external':
    case 'unseen-address':
      return ['services', 'db-init', 'environment'];
    case 'doubtful-server':
      return ['services', 'db-init', 'depends_on'];
    case 'health-check':
      return ['services', remark.service, 'healthcheck'];
    case 'name-taken':
      return ['services', 'db-init'];
    case 'similar':
    case 'separate':
      return ['services', application];
    case 'unread':
      return [];
  }
}

type Table = Describers<Remark, null, readonly string[]>;

/** The application's service: its image, its user, its volumes. */
const onApplication = {
  attachments: ({ application }) => [
    'The attachments of projects are not on a volume yet: they are in the container, and are deleted when it is made again.',
    'SAVE THEM BEFORE THE FIRST `up` with this file, and put them back afterwards:',
    `  docker compose cp ${application}:/app/uploads/project_attachments saved-attachments`,
    `  docker compose cp saved-attachments/. ${application}:/app/uploads/project_attachments/`,
    'If the first command finds no such folder, there are none.',
  ],
  floating: () => [
    "The tag of the application's image moves to newer releases, which may migrate the database further than this db-init knows.",
  ],
  'owner-of-folders': () => [
    'QUESTION: which user owns the folders below? If it is not uid 1000, set the owner for db-init and the application:',
    "  user: '1026:100'",
  ],
  'named-user': ({ user }) => [
    `QUESTION: which number has the user ${user}? The image of db-init does not know this name. If it is not 1000, add:`,
    "  user: '1026:100'",
  ],
} satisfies Partial<Table>;

/** The files, and the other services in them. */
const onFiles = {
  'env-files'({ files, unread }) {
    return unread.length === 0
      ? [`db-init has the same. Settings that stand in ${files.join(', ')} are not below: what stood there would win.`]
      : [
          `db-init has the same. ${unread.join(', ')} could not be read: settings that the application has as well come from there,`,
          'and only those that begin with TT_ stand below, where they win.',
        ];
  },
  'uncertain-paths': ({ paths }) => [
    `QUESTION: is ${paths.join(', ')} an absolute path? A relative one begins in the folder of the file that names it,`,
    'and here in the folder of your first file: then write the path from there.',
  ],
  unread: ({ files }) => [
    `QUESTION: what do these files say? They are used by your files, and were not read: ${files.join(', ')}.`,
    'Let db-init read the folder, with docker-compose.yml as the name of your file (several: one after the other):',
    `  ${composeInFolder}`,
  ],
  similar: ({ services }) => [
    `QUESTION: is ${services.join(', ')} TimeTracker as well? It looks like it, or has the same DATABASE_URL.`,
    'Then give it the same depends_on and environment.',
  ],
  separate: ({ services }) => [
    `${services.join(', ')}: this looks like TimeTracker with another database, and is left as it is. This db-init works on one database.`,
    `For a second one, run \`db-init compose --service ${services[0] ?? ''}\`, and give its services db-init and db-init-backups other names.`,
  ],
  'name-taken': ({ image }) => [
    `QUESTION: is the service db-init of your files, of the image ${image}, another program?`,
    'Then rename it there, or here at all places: compose merges services of one name.',
  ],
} satisfies Partial<Table>;

/** The address of the database, and its server. */
const onDatabase = {
  translated: ({ variables }) => [
    `QUESTION: is this the address? The application has ${variables.join(', ')}; below are db-init's names for them.`,
  ],
  'hidden-value': ({ variable, setting, files }) => [
    `${variable} is only in ${files.join(', ')}, and db-init does not read this name: add a line there with the same`,
    `value and the name ${setting}.`,
  ],
  'sqlite-without-volume': ({ file }) => [
    `QUESTION: is ${file} on a volume? It is on no mount of the application, and would be deleted with the container.`,
  ],
  external: ({ host }) => [
    `No service of the files is called ${host}: db-init waits TT_WAIT_TIMEOUT seconds (120) for a server elsewhere.`,
  ],
  'unseen-address': ({ given, server }) => [
    given
      ? 'The files do not show the address of the database: db-init gets it from where the application does.'
      : 'QUESTION: what is the address of the database? The files give the application none. Set DATABASE_URL in .env.',
    server === null
      ? 'QUESTION: which service is its server? Name it in depends_on, with `condition: service_healthy`.'
      : `QUESTION: is the service ${server} its server? If not, change depends_on.`,
  ],
  'doubtful-server': ({ service, checked }) => [
    `QUESTION: is the service ${service} a PostgreSQL server? Its image does not say so.`,
    'A pooler such as PgBouncer keeps no locks between statements: give db-init the address of the server itself.',
    ...(checked ? [] : ['It has no health check: db-init waits TT_WAIT_TIMEOUT seconds (120) for it.']),
  ],
  'health-check': ({ former }) =>
    former === 'none'
      ? ['It had no health check: db-init waits until the server answers over TCP.']
      : [
          'The former check used the socket, where a temporary server answers while an empty volume is initialised: this one uses TCP.',
        ],
} satisfies Partial<Table>;

const describeByKind = describerOf<Remark, null, readonly string[]>({ ...onApplication, ...onFiles, ...onDatabase });

const describe = (remark: Remark): readonly string[] => describeByKind(remark.kind, remark, null);

/**
 * Puts lines before the key that a path leads to, or before the nearest key above it that exists; before the whole file
 * if the path is empty.
 */
function comment(document: Document, path: readonly string[], lines: readonly string[]): void {
  const place = path.length === 0 ? document : keyAt(document, path);
  if (place === null) return comment(document, path.slice(0, -1), lines);
  const text = lines.map((line) => ` ${line}`).join('\n');
  place.commentBefore = [place.commentBefore, text].filter((part) => typeof part === 'string').join('\n');
}

function keyAt(document: Document, path: readonly string[]): { commentBefore?: string | null | undefined } | null {
  const map: unknown = document.getIn(path.slice(0, -1), true);
  if (!isMap(map)) return null;
  const pair = itemsOf(map).find(({ key }) => keyText(key) === path.at(-1));
  return pair !== undefined && isNode(pair.key) ? pair.key : null;
}

const itemsOf = (map: YAMLMap): readonly Pair[] => map.items;
const isNode = (key: unknown): key is { value: unknown; commentBefore?: string | null } =>
  typeof key === 'object' && key !== null && 'value' in key;
const keyText = (key: unknown): unknown => (isNode(key) ? key.value : key);

/** The same with what may be a password shown as ***. */
function withoutPasswords(dbInit: Override['dbInit']): Override['dbInit'] {
  const { environment } = dbInit;
  if (typeof environment !== 'object' || environment === null) return dbInit;
  const masked = Object.entries(environment).map(([name, value]: [string, unknown]) => [name, mask(name, value)]);
  return { ...dbInit, environment: Object.fromEntries(masked) };
}

function mask(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (/(?:PASSWORD|SECRET|KEY)$/.test(name)) return /^\$\{\w+:?-?\}$/.test(value) ? value : '***';
  // what stands between the user and the last @
  return value.replace(/^(\w[\w+]*:\/\/[^:/@]*:).*@/, '$1***@');
}
