import type { Schema } from './schema.ts';

/**
 * Drops the foreign keys that use a column, whatever their names. PostgreSQL only: on SQLite they stay beside
 * those that are added, as they do in the application's own history.
 */
export async function dropForeignKeys(schema: Schema, table: string, column: string): Promise<void> {
  if (schema.engine !== 'postgresql') return;
  const keys = await schema.query(
    `SELECT k.conname::text AS name
     FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
     WHERE k.contype = 'f' AND k.conrelid = to_regclass(quote_ident($1)) AND a.attname = $2`,
    [table, column],
  );
  for (const key of keys) await schema.dropConstraint(table, String(key['name']));
}
