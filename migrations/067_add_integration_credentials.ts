import type { Migration } from '../src/migration/migration.ts';

export const revision = '067_add_integration_credentials';
export const parents: readonly string[] = ['067_integration_credentials'];

/** Does nothing: release 4.0.0 recorded this identifier for the changes of 067_integration_credentials. */
export const up: Migration = async () => {};
