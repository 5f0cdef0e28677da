export type Engine = 'postgresql' | 'sqlite';

/** The types of the parameters of a statement. */
export type Value = string | number | bigint | boolean | null;

/** A row as the driver returns it. It is untrusted: the caller must parse it. */
export type Row = Readonly<Record<string, unknown>>;
