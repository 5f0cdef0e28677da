/** Where text goes that a person or a program reads. Every secret is taken out here, and only here. */
export interface Output {
  /** Standard output: results for people. */
  result(text: string): void;
  /** Standard output: a result for programs, as one object. */
  json(value: unknown): void;
  /** The log: standard output, or standard error while a result for a machine is on its way. */
  log(text: string): void;
  /** Standard error: banners. */
  notice(text: string): void;
}

/** The two streams of a process, as far as they are written to. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * @param secrets what must never be shown; longer ones first, so that a part does not spoil the whole
 * @param machine whether standard output is for a program (`--json`)
 */
export function openOutput(streams: Streams, secrets: readonly string[], machine: boolean): Output {
  const redact = redaction(secrets);
  const log = machine ? streams.stderr : streams.stdout;
  return {
    result: (text) => void streams.stdout.write(redact(text)),
    json: (value) => void streams.stdout.write(`${renderJson(value, redact)}\n`),
    log: (text) => void log.write(redact(text)),
    notice: (text) => void streams.stderr.write(redact(text)),
  };
}

/** JSON whose values are redacted one by one: a short password must not spoil the keys. */
export function renderJson(value: unknown, redact: (text: string) => string): string {
  return JSON.stringify(value, (_key, entry: unknown) => (typeof entry === 'string' ? redact(entry) : entry), 2);
}

/** What takes the secrets out of a text. */
export function redaction(secrets: readonly string[]): (text: string) => string {
  // within JSON a quotation mark or a backslash of a secret stands escaped
  const forms = new Set(secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]));
  const ordered = [...forms].filter((form) => form !== '').toSorted((a, b) => b.length - a.length);
  return (text) => ordered.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}
