import type { Schema } from './schema-builder/schema.ts';

/**
 * One schema revision: brings a database from the state of its parents to its own.
 *
 * `context` is umzug's context, which every migration gets. There are no down migrations: a restore is the way back.
 */
export type Migration = (step: { readonly context: Schema }) => Promise<void>;
