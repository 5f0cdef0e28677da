/** The tables without which nothing of the application works (recovery document, "Detection Logic"). */
export const coreTables: readonly string[] = ['users', 'projects', 'time_entries', 'settings', 'clients'];

/** Where the application's migrations record what was applied. */
export const versionTable = 'alembic_version';
