import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NamedText } from '../compose/compose-file.ts';
import { exitCodes } from '../errors/exit-codes.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { composeUsage, summaries } from '../report/command-line.ts';
import type { Command } from './context.ts';

/** The image that the README builds from db-init's sources. */
const image = '${DB_INIT_IMAGE:-timetracker-db-init}';

export const composeCommand: Command = {
  name: 'compose',
  usage: '[FILE …] [--service NAME]',
  summary: summaries.compose,
  flags: [],
  options: ['service'],
  positionals: Infinity,
  database: 'optional',
  usesDatabase: () => false,
  async run({ arguments: { positionals, options }, output, settings }) {
    const { NoComposeFile, parseComposeFiles } = await import('../compose/compose-file.ts');
    const { findInstallation } = await import('../compose/installation.ts');
    const { planOverride } = await import('../compose/override.ts');
    const { renderOverride } = await import('../report/compose-override.ts');
    const given = positionals.length > 0 ? positionals.map(readGiven) : [await readInput()];
    try {
      const files = parseComposeFiles(given, readOther);
      const installation = findInstallation(files, options.get('service') ?? null);
      if ('kind' in installation) throw usage(composeUsage.unclear(installation.candidates, installation.services));
      const override = planOverride(installation, files, { image, settings: settingNames(settings) });
      const context = { installation, files: positionals, masked: process.stdout.isTTY };
      const [application] = installation.applications;
      output.file(renderOverride(override, context), {
        application: application.name,
        database: installation.address.kind === 'service' ? installation.address.service.name : null,
        remarks: override.remarks,
      });
      return exitCodes.healthy;
    } catch (error) {
      if (error instanceof NoComposeFile) throw usage(composeUsage.noComposeFile(error.file, error.fault));
      throw error;
    }
  },
};

/** Every setting, in the order of `help settings`, and TZ, which Node reads. */
function settingNames(help: string): readonly string[] {
  return [...help.matchAll(/^#([A-Z_]+)=/gm)].map(([, name = '']) => name).concat('TZ');
}

async function readInput(): Promise<NamedText> {
  if (process.stdin.isTTY) throw usage(composeUsage.noFile);
  const { text } = await import('node:stream/consumers');
  return { name: null, text: await text(process.stdin) };
}

function readGiven(name: string): NamedText {
  try {
    return { name, text: readFileSync(name, 'utf8') };
  } catch (error) {
    throw usage(composeUsage.unreadable(name, reasonOf(error)));
  }
}

/** Reads a file that another file names; null if it cannot be read. */
function readOther(path: string, folder: string): NamedText | null {
  const name = resolve(folder, path);
  try {
    return { name, text: readFileSync(name, 'utf8') };
  } catch {
    return null;
  }
}

const usage = (message: string): Failure => new Failure({ kind: 'usage', message });
