import type { Catalog } from '../../../src/model/catalog.ts';

/**
 * The last revisions, written again by the generator of the import from the facts about the application's result in an
 * empty database, and run: the result must be equal to the facts.
 */
import { expect, it } from 'vitest';
import { renderMigration } from '../../../scripts/release/import/migration-file.ts';
import { openProject } from '../../../scripts/release/import/project.ts';
import { deriveSteps } from '../../../scripts/release/import/steps.ts';
import { openSchema } from '../../../src/migration/schema-builder/schema.ts';
import { describeEngines } from '../../support/database.ts';
import {
  apply,
  type Facts,
  nothing,
  postgresHistory,
  type PostgresShapes,
  sqliteHistory,
  type SqliteShapes,
} from '../migration/history.ts';
import { expectedOnPostgres, seenOnPostgres, seenOnSqlite } from '../migration/observed.ts';
import { openStage } from '../migration/test-environment.ts';

const howMany = 10;
const last = postgresHistory.slice(-howMany);
const before = postgresHistory.at(-howMany - 1)?.revision ?? '';

const parts = <Part, Result>(map: ReadonlyMap<string, Part>, change: (part: Part) => Result): Record<string, Result> =>
  Object.fromEntries([...map].map(([name, part]) => [name, change(part)]));

/** The facts as a catalog, in which an index has no name and no table. */
const postgresCatalog = ({ tables, enums }: Facts<PostgresShapes>): Catalog => ({
  tables: parts(tables, ({ columns, constraints, indexes }) => ({
    columns: parts(columns, (column) => column),
    constraints: parts(constraints, (rule) => rule),
    indexes: parts(indexes, (text) => ({
      definition: text.replace(
        /^CREATE (UNIQUE )?INDEX .*? USING /,
        (_whole, unique: string | undefined) => unique ?? '',
      ),
      valid: true,
    })),
  })),
  enums: Object.fromEntries(enums),
});

const sqliteCatalog = ({ tables }: Facts<SqliteShapes>): Catalog => ({
  tables: parts(tables, ({ columns }) => ({
    columns: parts(columns, ({ type, notNull }) => ({ type, notNull, default: null })),
    constraints: {},
    indexes: {},
  })),
  enums: {},
});

describeEngines(`the last ${howMany} revisions, written from the facts`, ({ name, create }) => {
  it('make the same as the application, and none is left to do by hand', async () => {
    const facts = { postgresql: nothing<PostgresShapes>(), sqlite: nothing<SqliteShapes>() };
    const advance = (revision: string): void => {
      apply(facts.postgresql, postgresHistory.find((entry) => entry.revision === revision)?.changes ?? []);
      apply(facts.sqlite, sqliteHistory.find((entry) => entry.revision === revision)?.changes ?? []);
    };
    for (const { revision } of postgresHistory.slice(0, -howMany)) advance(revision);
    const stage = await openStage(await create());
    await stage.migrateTo(before);
    const schema = await openSchema(stage.session);
    const project = openProject('.');

    // on SQLite the facts lack the rules that Alembic could not add: what was written by hand says what is expected
    const byHand = name === 'sqlite' ? await openStage(await create()) : null;
    for (const { revision, downRevisions } of last) {
      const from = postgresCatalog(facts.postgresql);
      advance(revision);
      const { steps, inexpressible } = deriveSteps({
        before: from,
        after: postgresCatalog(facts.postgresql),
        sqlite: sqliteCatalog(facts.sqlite),
        renames: { tables: [], columns: [] },
        initialValues: new Map(),
      });
      expect({ revision, inexpressible }).toEqual({ revision, inexpressible: [] });
      const { up } = await project.load(renderMigration({ revision, parents: downRevisions, steps, left: [] }));
      await up({ context: schema });
      await schema.flush();
      await byHand?.migrateTo(revision);
      const [found, expected] =
        byHand === null
          ? [await seenOnPostgres(schema), expectedOnPostgres(facts.postgresql)]
          : [await seenOnSqlite(schema), await seenOnSqlite(byHand.session)];
      expect(found, revision).toEqual(expected);
    }
  });
});
