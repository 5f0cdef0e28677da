import type { Migration } from '../src/migration/migration.ts';

/** Does nothing: release 4.0.0 recorded under this identifier what 067_integration_credentials does. */
export const up: Migration = async () => {};
