import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Installation } from '../restore/restores.ts';

const entrypoint = join(import.meta.dirname, '../../../entrypoint');

/** How db-init is called: as in a clone, or by a docker compose that acts on this machine. */
export type Way = 'entrypoint' | 'docker compose';

/** Stands for Docker: what it would do in a container is done here. It has a folder for a mounted one. */
const docker = `#!/bin/sh
[ "$1" = compose ] || exit 0
shift
case $1 in
  up) exec ${entrypoint} gate ;;
  exec) shift; [ "$1" != -T ] || shift; shift; exec "$@" ;;
  run) ;;
  *) exit 0 ;;
esac
shift
program=${entrypoint}
while [ "$1" != db-init ]; do
  case $1 in
    --entrypoint) program=$2; shift ;;
    --env) export "$2"; shift ;;
    -v) mounted=\${2%%:*}; shift ;;
    --user | --cap-add) shift ;;
  esac
  shift
done
shift
[ -z "\${mounted:-}" ] || { shift $#; set -- backup create --output "$mounted"; }
exec "$program" "$@"
`;

/** The options of the banner in a text: each with the commands that stand in it. */
export function optionsOf(text: string): { readonly words: string; readonly commands: readonly string[] }[] {
  const [, options = ''] = text.split('RECOVERY OPTIONS:\n');
  const [body = ''] = options.split(/^(?:={20,}|)$/m);
  return body
    .split(/^(?=\d+\. )/m)
    .filter((option) => option !== '')
    .map((option) => {
      const lines = option.trimEnd().split('\n');
      return {
        words: lines.filter((line) => !line.startsWith('     ')).join(' '),
        commands: lines.filter((line) => line.startsWith('     ')).map((line) => line.trim()),
      };
    });
}

interface Said {
  readonly exitCode?: number | undefined;
  readonly all: string;
}

/** A machine on which banners are followed to the letter. */
export interface Reader {
  /** Runs db-init as the banner calls it. */
  readonly dbInit: (...args: readonly string[]) => Promise<Said>;
  /** Runs commands literally, one after the other; FILE is the oldest backup, and questions are answered with yes. */
  readonly follow: (commands: readonly string[]) => Promise<Said>;
  /** Where the reader stands. */
  readonly folder: string;
}

export async function reader(
  site: Installation,
  way: Way,
  more: Readonly<Record<string, string>> = {},
): Promise<Reader> {
  const [bin, folder] = [join(site.root, 'bin'), join(site.root, 'reader')];
  await mkdir(bin, { recursive: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(bin, 'docker'), docker, { mode: 0o755 });
  await writeFile(join(bin, 'sudo'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  const password = site.engine === 'postgresql' ? decodeURIComponent(new URL(site.database.url).password) : '';
  const env = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: process.env['HOME'],
    PGPASSWORD: password,
    ...site.env,
    TT_FORCE_RESET_DB: 'true',
    TT_COMMAND_PREFIX: way === 'entrypoint' ? entrypoint : 'docker compose run --rm db-init',
    ...more,
  };
  const options = { env, extendEnv: false, cwd: folder, reject: false, all: true, input: '' } as const;
  return {
    folder,
    // a container does not see the folder of the reader
    dbInit: (...args) => execa(entrypoint, args, { ...options, cwd: site.root }),
    async follow(commands) {
      const archives = (await readdir(site.backups)).filter((name) => name.endsWith('.zip')).toSorted();
      const script = commands.map((command) =>
        command.replace(
          / restore (?:FILE|('[^']+'|\S+\.zip))$/,
          (_, name = archives.at(0)) => ` restore ${name} --yes`,
        ),
      );
      return execa('sh', ['-c', script.join('\n')], options);
    },
  };
}
