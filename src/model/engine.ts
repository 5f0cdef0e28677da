/** The two database engines that TimeTracker runs on. */
export type Engine = 'postgresql' | 'sqlite';

/** What a statement may be given as a parameter. */
export type Value = string | number | bigint | boolean | null;

/** A row as the driver returned it: untrusted, to be parsed by who asked for it. */
export type Row = Readonly<Record<string, unknown>>;
