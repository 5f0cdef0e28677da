/**
 * Records the output of real runs of db-init as pictures for the documentation: `docs/images/*.svg`. Needs Linux, root
 * and PostgreSQL's programs; starts a server of its own.
 *
 *     npm run build && node scripts/run-ts.mjs scripts/record.ts [NAME...]
 *
 * The picture of a whole `docker compose up` needs Docker and the image, and is recorded only on request:
 *
 *     docker build -t timetracker-db-init . && node scripts/run-ts.mjs scripts/record.ts compose-up
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withRecordingEnvironment, type RecordingEnvironment } from './record-stage.ts';
import { recordComposeUp } from './record-compose.ts';
import { type RecordedLine, renderTerminal } from './record-svg.ts';

interface Scenario {
  /** The name of the picture is `terminal-<name>.svg`. */
  readonly name: string;
  readonly title: string;
  /** Prepares the state before the recording. @returns DATABASE_URL */
  readonly prepare: (stage: RecordingEnvironment) => Promise<string>;
  /** The commands, with paths as in the image. */
  readonly commands: readonly (readonly string[])[];
}

const archive = 'timetracker_backup_20261122_153639.zip';

const scenarios: readonly Scenario[] = [
  {
    name: 'first-start',
    title: 'The first start, and the second',
    prepare: (stage) => stage.database('postgresql'),
    commands: [[], []],
  },
  {
    name: 'upgrade',
    title: 'A database of an older release',
    async prepare(stage) {
      const url = await stage.database('postgresql');
      await stage.load('databases/pg/v4.8.7/before.sql.gz');
      return url;
    },
    commands: [[]],
  },
  {
    name: 'quarantine',
    title: 'Tables that are not TimeTracker’s: moved aside, not dropped',
    async prepare(stage) {
      const url = await stage.database('postgresql');
      await stage.load('states/polluted.sql.gz');
      return url;
    },
    commands: [[]],
  },
  {
    name: 'refusal',
    title: 'A refusal: nothing is changed, and the options are shown',
    async prepare(stage) {
      const url = await stage.database('postgresql');
      await stage.load('states/partial-with-tables.sql.gz');
      return url;
    },
    commands: [[]],
  },
  {
    name: 'restore',
    title: 'A backup is restored, and the restore is undone',
    async prepare(stage) {
      const url = await stage.database('postgresql');
      await stage.quietly(url, []);
      stage.archive('archives/pg-v5.10.0-pgdump15.zip', archive);
      return url;
    },
    commands: [
      ['backup', 'verify', `/data/uploads/backups/${archive}`],
      ['restore', `/data/uploads/backups/${archive}`, '--yes'],
      ['restore', '--undo', '--yes'],
    ],
  },
  {
    name: 'wrong-password',
    title: 'A wrong password',
    prepare: async (stage) => (await stage.database('postgresql')).replace(':timetracker@', ':guessed@'),
    commands: [[]],
  },
];

/** Seconds until a command appears at the prompt, until it starts, and until the next prompt. */
const pause = { prompt: 0.4, start: 0.8, next: 1.6 } as const;

if (process.argv.includes('compose-up')) save('compose-up', 'docker compose up, refused', await recordComposeUp());
else if (process.platform === 'linux' && process.getuid?.() === 0) await withRecordingEnvironment(record);
else process.stdout.write('The pictures stay as they are: they are recorded as root, on Linux.\n');

async function record(stage: RecordingEnvironment): Promise<void> {
  const wanted = process.argv.slice(2);
  for (const { name, title, prepare, commands } of scenarios) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const url = await prepare(stage);
    const moments: RecordedLine[] = [];
    for (const command of commands) moments.push(...(await runScenario(stage, url, command, moments.at(-1)?.at)));
    save(name, title, moments);
  }
}

function save(name: string, title: string, moments: readonly RecordedLine[]): void {
  const file = resolve('docs/images', `terminal-${name}.svg`);
  const picture = renderTerminal(title, moments);
  if (existsSync(file) && withoutTimes(readFileSync(file, 'utf8')) === withoutTimes(picture)) return;
  writeFileSync(file, picture);
  process.stdout.write(`${file}\n`);
}

/**
 * A picture without the values that differ in each run (times, durations). If the rest is equal, the former picture is
 * kept.
 */
function withoutTimes(picture: string): string {
  return picture
    .replaceAll(/animation-delay:[\d.]+s/g, '')
    .replaceAll(/\b\d\d:\d\d:\d\dZ?/g, '<time>')
    .replaceAll(/\d{8}[t_]\d{6}/g, '<stamp>')
    .replaceAll(/\b[\d.]+ (?:ms|s)\b/g, '<duration>');
}

async function runScenario(
  stage: RecordingEnvironment,
  url: string,
  command: readonly string[],
  before = 0,
): Promise<readonly RecordedLine[]> {
  const typed = before + (before === 0 ? pause.prompt : pause.next);
  const args = command.map((word) => (word.startsWith('/') ? stage.real(word) : word));
  const output = shortened(await stage.shown(url, args));
  return [
    { at: typed, kind: 'command', text: ['docker compose run --rm db-init', ...command].join(' ') },
    ...output.map((moment) => ({ ...moment, at: typed + pause.start + moment.at })),
  ];
}

/** Of a run with many revisions, only the first and the last ones are shown. */
function shortened(moments: readonly RecordedLine[]): readonly RecordedLine[] {
  const numbered = moments.flatMap(({ text }, at) => (/^\S* +\d+\/\d+ /.test(text) ? [at] : []));
  const [from, to] = [numbered[3], numbered.at(-2)];
  if (from === undefined || to === undefined || to - from < 2) return moments;
  const left = { ...(moments[to] ?? { at: 0 }), kind: 'output', text: `⋮        ${to - from} more` } as const;
  return [...moments.slice(0, from), left, ...moments.slice(to)];
}
