import type { AbsentUploads } from '../model/archive.ts';
import type { DatabaseFacts } from '../model/database-facts.ts';
import type { Catalog } from '../model/catalog.ts';
import { existsSync } from 'node:fs';
import type { UploadRoot, UploadRootName } from '../config/config.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { number } from '../database/row-values.ts';
import type { Database } from '../database/database.ts';
import type { Engine } from '../model/engine.ts';
import { reasonOf } from '../errors/failure.ts';
import { holdsFiles } from '../state-folder/state-paths.ts';
import { describeAbsentUploads, backupMessages } from '../report/backup-messages.ts';
import { commandsFor } from '../report/commands.ts';
import { isLostWithContainer } from '../platform/volumes.ts';
import type { BackupContext } from './context.ts';

/**
 * A place in the database that refers to uploaded files. Without a column, each row of the table refers to one file.
 * With a column, a value that is neither null nor empty is a file name, a JSON list of file names, or a text that may
 * contain addresses of files.
 */
type FileReference = readonly [table: string, column?: string, how?: 'list' | 'text'];

/**
 * The places, by the folder that the application writes the files to. The list omits files that the application can
 * make again (`data_exports`), original names of files (`data_imports`), and addresses of other servers.
 */
const referencesByRoot: Readonly<Record<UploadRootName, readonly FileReference[]>> = {
  uploads: [
    ['client_attachments'],
    ['quote_attachments'],
    ['comment_attachments'],
    ['invoice_images'],
    ['quote_images'],
    ['chat_messages', 'attachment_url'],
    ['client_portal_customizations', 'logo_upload_path'],
    ['client_messages', 'attachments', 'list'],
    ['settings', 'company_logo_filename'],
    ['settings', 'logo_path'],
    // images of the application's text editor and invoice designer
    ['projects', 'description', 'text'],
    ['tasks', 'description', 'text'],
    ['invoice_pdf_templates', 'template_html', 'text'],
    ['invoice_pdf_templates', 'template_json', 'text'],
    ['quote_pdf_templates', 'template_html', 'text'],
    ['quote_pdf_templates', 'template_json', 'text'],
    ['settings', 'invoice_pdf_template_html', 'text'],
    ['settings', 'invoice_pdf_design_json', 'text'],
  ],
  data_uploads: [
    ['users', 'avatar_filename'],
    ['expenses', 'receipt_path'],
    ['project_costs', 'receipt_path'],
  ],
  project_attachments: [['project_attachments']],
};

type ReferencedFiles = Readonly<Partial<Record<UploadRootName, number>>>;

/**
 * Finds folders that are missing, empty, or inside the container itself, although the database refers to files in
 * them. TimeTracker's own compose files mount no volume at /app/uploads/project_attachments.
 * @param referenced the number of files in each folder to which the database refers
 * @param holds whether an existing folder has at least one file
 * @param isMounted whether a folder is on a volume
 */
export function findAbsentUploads(
  referenced: ReferencedFiles,
  roots: readonly UploadRoot[],
  holds: (root: UploadRoot) => boolean,
  isMounted: (folder: string) => boolean = (folder) => !isLostWithContainer(folder),
): readonly AbsentUploads[] {
  return roots.flatMap((root): readonly AbsentUploads[] => {
    const { name, folder } = root;
    const rows = referenced[name] ?? 0;
    if (rows === 0) return [];
    if (!existsSync(folder)) return [{ folder, rows, why: 'missing' }];
    if (!holds(root)) return [{ folder, rows, why: 'empty' }];
    return isMounted(folder) ? [] : [{ folder, rows, why: 'not-mounted' }];
  });
}

/** Counts the files to which the database refers, as far as its tables and columns exist. */
export async function countReferencedFiles(
  { read, engine }: Pick<Database, 'read' | 'engine'>,
  { tables }: Pick<Catalog, 'tables'>,
): Promise<ReferencedFiles> {
  const there = Object.entries(referencesByRoot).flatMap(([root, sources]) => {
    const found = sources.filter(([table, column]) =>
      column === undefined ? Object.hasOwn(tables, table) : Object.hasOwn(tables[table]?.columns ?? {}, column),
    );
    const counts = found.map((mention) => `(${countOf(mention, engine)})`);
    return counts.length === 0 ? [] : [[root, counts.join(' + ')] as const];
  });
  if (there.length === 0) return {};
  const columns = there.map(([root, sum]) => `${sum} AS ${quoteName(root)}`);
  const [row = {}] = await read((session) => session.query(`SELECT ${columns.join(', ')}`));
  return Object.fromEntries(there.map(([root]) => [root, number(row, root)]));
}

/** Values with more bytes than this are not read. */
const longest = 100_000_000;

/** The query that counts the files to which a table refers. */
function countOf([table, column, how]: FileReference, engine: Engine): string {
  const from = `FROM ${quoteName(table)}`;
  if (column === undefined) return `SELECT count(*) ${from}`;
  const name = quoteName(column);
  // one value that is too long to be returned would make the whole query fail: only its length is read
  const value = engine === 'sqlite' ? `CASE WHEN octet_length(${name}) < ${longest} THEN ${name} END` : name;
  if (how === undefined) return `SELECT count(*) ${from} WHERE ${value} <> ''`;
  if (how === 'text') return `SELECT count(*) ${from} WHERE CAST(${value} AS text) LIKE '%/uploads/%'`;
  const [isList, length] =
    engine === 'postgresql'
      ? [`json_typeof(${value}::json) = 'array'`, `json_array_length(${value}::json)`]
      : [`json_valid(${value})`, `json_array_length(${name})`];
  return `SELECT coalesce(sum(CASE WHEN ${isList} THEN ${length} END), 0) ${from}`;
}

/**
 * Warns of such folders before the database is changed. A change comes with an upgrade, and an upgrade replaces the
 * container and deletes the files that only the old container had. The run continues in any case.
 */
export async function warnOfAbsentUploads(
  { database, config, log, signal }: BackupContext,
  { catalog }: DatabaseFacts,
): Promise<void> {
  try {
    const referenced = await countReferencedFiles(database, catalog);
    const absent = findAbsentUploads(referenced, config.uploadRoots, ({ folder }) =>
      holdsFiles(folder, config.backupFolder),
    );
    const commands = commandsFor(config);
    for (const line of absent.flatMap((one) => describeAbsentUploads(one, commands, 'gate'))) log.warn(line);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(backupMessages.volumesUnknown(reasonOf(error)));
  }
}
