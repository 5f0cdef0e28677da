import type { Migration } from '../src/migration/migration.ts';
import type { Schema } from '../src/migration/schema.ts';

export const revision = '089_fix_role_perm_sequences';
export const parents: readonly string[] = ['088_salesman_splitting_reports'];

/**
 * Makes roles and permissions number themselves after their last row: 030 gave its rows numbers of their own, and
 * 157 lets the sequence number some more. PostgreSQL only: SQLite counts by itself.
 */
export const up: Migration = async ({ context: schema }) => {
  if (schema.engine !== 'postgresql') return;
  await repairSequence(schema, 'roles');
  await repairSequence(schema, 'permissions');
};

const repairSequence = async (schema: Schema, table: 'roles' | 'permissions'): Promise<void> => {
  if (!schema.hasColumn(table, 'id')) return;
  const [row] = await schema.query(`SELECT pg_get_serial_sequence('${table}', 'id') AS sequence`);
  if (row?.['sequence'] === null) {
    await schema.run(`
      CREATE SEQUENCE IF NOT EXISTS ${table}_id_seq;
      ALTER SEQUENCE ${table}_id_seq OWNED BY ${table}.id;
      ALTER TABLE ${table} ALTER COLUMN id SET DEFAULT nextval('${table}_id_seq')`);
  }
  await schema.run(`
    SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM ${table}), FALSE)`);
};
