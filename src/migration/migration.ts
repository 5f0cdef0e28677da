import type { Schema } from './schema-builder/schema.ts';

/**
 * One schema revision: brings a database from the state of its parents to its own.
 *
 * `context` is what umzug hands to every migration. There is no way down: a restore is the way back.
 */
export type Migration = (step: { readonly context: Schema }) => Promise<void>;
