import type { Step } from './steps.ts';
import type { EngineSql } from './sql-text.ts';

/** The content of a migration file. */
export interface MigrationText {
  readonly revision: string;
  readonly parents: readonly string[];
  readonly steps: readonly Step[];
  /** The reasons why it cannot be released yet; empty if it is finished. */
  readonly left: readonly string[];
}

/** The beginning of the error that an unfinished migration throws. */
export const notYetWritten = 'not yet written: ';

/** Whether the text of a migration is unfinished. */
export const isUnfinished = (text: string): boolean => text.includes(notYetWritten);

/** The text of `migrations/<revision>.ts`, in the style of those written by hand. prettier formats it. Pure. */
export function renderMigration(migration: MigrationText): string {
  const { revision, parents, steps, left } = migration;
  const calls = steps.map(renderStep).join('\n');
  const failure =
    left.length === 0
      ? ''
      : (calls === ''
          ? ''
          : '\n// The steps above follow from the catalogs. Write the rest, then remove this error.\n') +
        `throw new Error(${quoted(notYetWritten + left.join('; '))});`;
  const uses = /\bschema\b/.test(calls);
  const onPostgres = /\bonPostgres\b/.test(calls) ? "const onPostgres = schema.engine === 'postgresql';\n" : '';
  return `import type { Migration } from '../src/migration/migration.ts';

export const revision = ${quoted(revision)};
export const parents: readonly string[] = [${parents.map(quoted).join(', ')}];

${comment(describeMigration(migration))}
export const up: Migration = async (${uses ? '{ context: schema }' : ''}) => {${onPostgres}${calls}${failure}};
`;
}

/** Describes a migration in a few sentences. */
export function describeMigration({ parents, steps, left }: Pick<MigrationText, 'parents' | 'steps' | 'left'>): string {
  const of = <Kind extends Step['kind']>(...kinds: readonly Kind[]): (Step & { kind: Kind })[] =>
    steps.filter((step): step is Step & { kind: Kind } => kinds.some((kind) => kind === step.kind));
  const added = of('addColumns').map(({ table, columns }) => `${list(columns.map(([name]) => name))} to ${table}`);
  const altered = of('setType', 'setDefault', 'setNotNull', 'dropNotNull', 'dropDefault')
    .filter(
      ({ table, column }) =>
        !of('addColumns').some((step) => step.table === table && step.columns.some(([name]) => name === column)),
    )
    .map(({ table, column }) => `${table}.${column}`);
  const created = new Set(of('createTable').map(({ table }) => table));
  const rules = [
    ...of('addIndex').flatMap(({ table, name }) => (created.has(table) ? [] : [name])),
    ...of('addConstraint').map(({ name }) => name),
  ];
  const changed = of('dropIndex', 'dropConstraint').flatMap(({ name }) => (rules.includes(name) ? [] : [name]));
  const dropped = [
    ...of('dropColumn').map(({ table, column }) => `${table}.${column}`),
    ...of('dropTable').map(({ table }) => table),
    ...of('dropEnum').map(({ name }) => `the type ${name}`),
    ...changed,
  ];
  const sentences = [
    ...sentence('Creates', [...of('createEnum').map(({ name }) => `the type ${name}`), ...created]),
    ...sentence(
      'Gives other labels to',
      of('relabelEnum').map(({ name }) => name),
    ),
    ...sentence('Renames', [
      ...of('renameTable').map(({ from, to }) => `${from} to ${to}`),
      ...of('renameColumn').map(({ table, from, to }) => `${table}.${from} to ${to}`),
    ]),
    ...sentence('Adds', added),
    ...sentence('Alters', [...new Set(altered)]),
    ...sentence('Adds', added.length > 0 && rules.length > 4 ? [`${rules.length} indexes and rules`] : rules),
    ...sentence('Drops', dropped),
  ];
  if (sentences.length > 0) return sentences.join(' ');
  if (left.length > 0) return 'Makes changes that no step can express.';
  return parents.length > 1 ? `Merges ${list(parents)}.` : 'Changes nothing.';
}

const sentence = (verb: string, things: readonly string[]): string[] =>
  things.length === 0 ? [] : [`${verb} ${list(things)}.`];

function list(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

function comment(text: string): string {
  if (text.length <= 112) return `/** ${text} */`;
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length > 114) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return ['/**', ...lines.map((line) => ` * ${line}`), ' */'].join('\n');
}

function renderStep(step: Step): string {
  switch (step.kind) {
    case 'createEnum':
    case 'relabelEnum':
      return call(step.kind, quoted(step.name), `[${step.labels.map(quoted).join(', ')}]`);
    case 'dropEnum':
      return `if (schema.engine === 'postgresql') ${call('run', quoted(`DROP TYPE IF EXISTS ${step.name}`))}`;
    case 'renameTable':
      return call('renameTable', quoted(step.from), quoted(step.to));
    case 'renameColumn':
      return call('renameColumn', quoted(step.table), quoted(step.from), quoted(step.to));
    case 'createTable':
      return `\n${call('createTable', quoted(step.table), record(step.columns), ...(step.constraints.length > 0 ? [record(step.constraints)] : []))}`;
    case 'addColumns': {
      const [first] = step.columns;
      if (step.columns.length > 1 || first === undefined)
        return call('addColumns', quoted(step.table), record(step.columns));
      return call('addColumn', quoted(step.table), quoted(first[0]), sqlText(first[1]));
    }
    case 'setType':
    case 'setDefault':
      return call(step.kind, quoted(step.table), quoted(step.column), sqlText(step.to));
    case 'setNotNull':
    case 'dropNotNull':
    case 'dropDefault':
    case 'dropForeignKeys':
    case 'dropColumn':
      return call(step.kind, quoted(step.table), quoted(step.column));
    case 'addIndex': {
      const where = step.where === null ? '' : `, where: ${sqlText(step.where)}`;
      const options = `{ name: ${quoted(step.name)}${step.unique ? ', unique: true' : ''}${where} }`;
      return call('addIndex', quoted(step.table), `[${step.columns.map(quoted).join(', ')}]`, options);
    }
    case 'dropIndex':
      return call('dropIndex', quoted(step.name));
    case 'addConstraint':
      return call('addConstraint', quoted(step.table), quoted(step.name), sqlText(step.definition));
    case 'dropConstraint':
      return call('dropConstraint', quoted(step.table), quoted(step.name));
    case 'dropTable':
      return call('run', quoted(`DROP TABLE IF EXISTS ${step.table}`));
    case 'run':
      return call('run', sqlText(step.sql));
  }
}

const call = (method: string, ...args: readonly string[]): string => `await schema.${method}(${args.join(', ')});`;

const record = (parts: readonly (readonly [string, EngineSql])[]): string =>
  `{\n${parts.map(([name, sql]) => `${quoted(name)}: ${sqlText(sql)},`).join('\n')}\n}`;

/** A string literal of JavaScript; prettier chooses the quotes. */
const quoted = (text: string): string => `'${escaped(text).replaceAll("'", String.raw`\'`)}'`;
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\\\')
    .replaceAll('\r', String.raw`\r`)
    .replaceAll('\n', String.raw`\n`);

/** One text for both engines, or a template that depends on the engine only in the words that differ. */
function sqlText({ postgresql, sqlite }: EngineSql): string {
  if (postgresql === sqlite) return quoted(postgresql);
  const [ours, theirs] = [postgresql.split(' '), sqlite.split(' ')];
  let start = 0;
  while (start < Math.min(ours.length, theirs.length) - 1 && ours[start] === theirs[start]) start += 1;
  let end = 0;
  while (end < Math.min(ours.length, theirs.length) - start - 1 && ours.at(-1 - end) === theirs.at(-1 - end)) end += 1;
  const middle = (words: readonly string[]): string => quoted(words.slice(start, words.length - end).join(' '));
  const choice = `onPostgres ? ${middle(ours)} : ${middle(theirs)}`;
  const [before, after] = [ours.slice(0, start), end === 0 ? [] : ours.slice(-end)].map((words) => words.join(' '));
  if (before === '' && after === '') return choice;
  const template = (text: string): string => escaped(text).replaceAll('`', '\\`').replaceAll('${', '\\${');
  return `\`${template(before ?? '')}${before === '' ? '' : ' '}\${${choice}}${after === '' ? '' : ' '}${template(after ?? '')}\``;
}
