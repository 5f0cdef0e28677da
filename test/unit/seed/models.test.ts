import SQLite from 'better-sqlite3';
import pg from 'pg';
import type { ModelStatic, Model } from 'sequelize';
import { describe, expect, it } from 'vitest';
import { loadHead } from '../../../src/schema/expected-schema.ts';
import { withModels } from '../../../src/seed/models/models-on.ts';
import { seededTables } from '../../../src/seed/tables.ts';

/** Sequelize's names of types, as the engine's own catalog spells them. */
const spellings = {
  postgresql: (type: string): string =>
    type
      .replace(/^VARCHAR/, 'character varying')
      .replace('DECIMAL', 'numeric')
      .replace('FLOAT', 'double precision')
      .replace('TIMESTAMP', 'timestamp without time zone')
      .toLowerCase(),
  sqlite: (type: string): string => type.replace('TINYINT(1)', 'BOOLEAN').replace('DECIMAL', 'NUMERIC'),
};

for (const engine of ['postgresql', 'sqlite'] as const) {
  describe(`the models of the seed (${engine})`, async () => {
    const schema = await loadHead(engine);
    const connection =
      engine === 'postgresql'
        ? { engine, driver: pg, client: new pg.Client() }
        : { engine, database: new SQLite(':memory:') };
    const models: Record<string, ModelStatic<Model>> = await withModels(connection, async (defined) => ({
      ...defined,
    }));

    it('are those of the tables that the seed fills', () => {
      expect(Object.keys(models).filter((name) => name !== 'settings')).toEqual(seededTables);
    });

    it.each(Object.entries(models))('have the columns of the schema: %s', (table, model) => {
      const { columns = {}, constraints = {} } = schema.tables[table] ?? {};
      const attributes = Object.values(model.getAttributes());
      expect(
        attributes.map(({ field, type, allowNull }) => ({
          field,
          type: spellings[engine](typeof type === 'string' ? type : type.toString({})),
          notNull: allowNull === false,
        })),
      ).toEqual(
        attributes.map(({ field = '' }) => ({ field, type: columns[field]?.type, notNull: columns[field]?.notNull })),
      );
      expect(Object.values(constraints)).toContain(`PRIMARY KEY (${model.primaryKeyAttributes.join(', ')})`);
    });

    it.each(seededTables)('have all columns that a row needs: %s', (table) => {
      const needed = Object.entries(schema.tables[table]?.columns ?? {}).filter(
        ([, column]) => column.notNull && column.default === null,
      );
      expect(Object.keys(models[table]?.getAttributes() ?? {})).toEqual(
        expect.arrayContaining(needed.map(([name]) => name)),
      );
    });
  });
}

it('the associations of the models are the foreign keys of the schema', async () => {
  const { tables } = await loadHead('postgresql');
  const connection = { engine: 'postgresql', driver: pg, client: new pg.Client() } as const;
  const models: Record<string, ModelStatic<Model>> = await withModels(connection, async (defined) => ({ ...defined }));
  for (const [name, model] of Object.entries(models)) {
    const keys = Object.values(tables[name]?.constraints ?? {}).flatMap((rule) => {
      const [, column = '', target = ''] = /^FOREIGN KEY \((\w+)\) REFERENCES (\w+)\(id\)/.exec(rule) ?? [];
      return column in model.getAttributes() && target in models ? [`${column} → ${target}`] : [];
    });
    const associations = Object.values(model.associations).map(
      ({ foreignKey, target }) => `${foreignKey} → ${target.name}`,
    );
    expect({ name, associations: associations.toSorted() }).toEqual({ name, associations: keys.toSorted() });
  }
});
