import { paint } from './colours.ts';
import { printable, printableJson, printableLines } from '../platform/printable.ts';

/** The output of a run, for people or programs. It redacts every secret, and escapes terminal control characters. */
export interface Output {
  /** A result: the text on standard output at once, or with `--json` the object, which `run` prints when it ends. */
  result(text: string, value: JsonObject): void;
  /** A result that is a file: secrets in it stay, since it does not work without them. The caller keeps them off terminals. */
  file(text: string, value: JsonObject): void;
  /** The object of the last result; null if there was none, or without `--json`. */
  readonly lastResult: JsonObject | null;
  /** Standard output: the one object of `--json`. */
  json(value: JsonObject): void;
  /** The log: standard output, or standard error while a result for a machine is on its way. */
  log(text: string): void;
  /** The same for a line of JSON whose values were redacted one by one, so that it stays JSON whatever the secrets are. */
  entry(line: string): void;
  redact(text: string): string;
  /** Standard error: banners. */
  notice(text: string): void;
  /**
   * The last line of a terminal: each text replaces the one before, an empty one takes it away, and so does whatever
   * else is written. Null where standard error is no terminal, or NO_COLOR is set.
   */
  readonly line: ((text: string) => void) | null;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** The two streams of a process, as far as they are written to. */
export interface Streams {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
}

/** Moves to the start of the line and erases it (ECMA-48: CR, EL). */
const eraseLine = '\r\u001B[K';

/**
 * @param secrets what must never be shown; longer ones first, so that a part does not spoil the whole
 * @param machine whether standard output is for a program (`--json`)
 * @param plain whether a terminal gets no colours, and no line is written anew (NO_COLOR)
 */
export function openOutput(
  streams: Streams,
  secrets: readonly string[],
  { machine, plain: quiet = false }: { readonly machine: boolean; readonly plain?: boolean },
): Output {
  const redact = createRedactor(secrets);
  const plain = (text: string): string => printableLines(redact(text));
  const { stdout, stderr } = streams;
  let shown = '';
  let kept: JsonObject | null = null;
  const line = (text: string): void => {
    // a line that wraps cannot be erased
    const next = printable(redact(text)).slice(0, (stderr.columns ?? 80) - 1);
    if (next !== shown) stderr.write(`${eraseLine}${next}`);
    shown = next;
  };
  const write = (stream: Streams['stdout'], text: string): void => {
    if (shown !== '') line('');
    stream.write(text);
  };
  const say = (stream: Streams['stdout'], text: string): void =>
    write(stream, stream.isTTY === true && !quiet ? paint(plain(text)) : plain(text));
  const log = machine ? stderr : stdout;
  return {
    result(text, value) {
      if (machine) kept = value;
      else say(stdout, text);
    },
    file(text, value) {
      if (machine) kept = value;
      else write(stdout, text);
    },
    get lastResult() {
      return kept;
    },
    json: (value) => write(stdout, `${renderJson(value, redact)}\n`),
    log: (text) => say(log, text),
    entry: (text) => write(log, printableJson(text)),
    redact,
    notice: (text) => say(stderr, text),
    line: stderr.isTTY === true && !quiet ? line : null,
  };
}

/** JSON whose values are redacted one by one: a short password must not spoil the keys. */
export function renderJson(value: unknown, redact: (text: string) => string, indent = 2): string {
  const redacted = (_key: string, entry: unknown): unknown => (typeof entry === 'string' ? redact(entry) : entry);
  return printableJson(JSON.stringify(value, redacted, indent));
}

/**
 * What stands between name and host in any address, were it cut off after some letters, or taken for a path: people
 * put addresses where they do not belong. `password` itself is how our own examples spell it.
 */
const credentials = /(\b[a-z][a-z0-9+.-]*:\/\/?[^\s:@/"]*:)(?!password@)[^\s"]*([@…])/gi;

/** Characters: more than the longest password that PostgreSQL takes, and less than a pattern may have. */
const longestPattern = 10_000;

/** The pattern also matches a secret whose blanks became line breaks in a banner. */
function patternOf(secret: string): RegExp | string {
  if (secret.length > longestPattern) return secret;
  return new RegExp(secret.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`).replaceAll(' ', String.raw`\s+`), 'g');
}

/** Makes a function that redacts the secrets in a text, and the passwords in addresses. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  // in JSON the quotation marks and backslashes of a secret are escaped
  const forms = new Set(secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]));
  const patterns = [...forms]
    .filter((form) => form !== '')
    .toSorted((a, b) => b.length - a.length)
    .map(patternOf);
  return (text) =>
    patterns
      .reduce<string>((shown, secret) => shown.replaceAll(secret, '***'), text)
      .replaceAll(credentials, '$1***$2');
}
