import { currentSchema } from '../database/current-schema.ts';
import { type DependentObjectsError, asDependentObjectsError } from '../database/postgres/dependents.ts';
import { number, only, text } from '../database/row-values.ts';
import type { Session } from '../database/session.ts';
import { createSchema, type Label, type QuarantineSchema, readSchemas, writeLabel } from './label.ts';
import { type Batch, countRows, isType, type QuarantineObject } from './objects.ts';

/** The schema that the application uses, quoted for SQL. @throws TypeError if there is none */
export async function quotedApplicationSchema(session: Session): Promise<string> {
  return text(only(await session.query('SELECT quote_ident(current_schema()) AS name')), 'name');
}

export interface Progress {
  /** The quarantine schema, with its new label. */
  readonly schema: QuarantineSchema;
  readonly done: readonly { readonly object: QuarantineObject; readonly rows: number | null }[];
  readonly left: number;
  readonly applicationSchema: string;
  /** The number of the owner's functions that stay in the application's schema, once everything else is moved. */
  readonly functions: number;
}

/**
 * Moves a batch of the application's schema to a schema `tt_quarantine_<UTC time>`. Nothing is copied and nothing is
 * dropped: ALTER … SET SCHEMA changes the catalog only, so the size of a table does not matter.
 *
 * PostgreSQL only; to be called within a transaction.
 * @param into the schema of earlier batches; without it, an interrupted quarantine continues, or a new one begins
 */
export async function quarantineBatch(
  session: Session,
  batch: Batch,
  why: string,
  into: QuarantineSchema | null = null,
): Promise<Progress> {
  const { name, label } = into ?? (await unfinishedSchema(session)) ?? (await createSchema(session, why));
  const applicationSchema = await quotedApplicationSchema(session);
  const done = await moveObjects(session, batch, applicationSchema, name);
  const schema: QuarantineSchema = {
    name,
    label: {
      ...label,
      state: batch.left === 0 ? 'complete' : 'unfinished',
      relations: label.relations + batch.objects.filter(({ kind }) => !isType(kind)).length,
      rows: label.rows + done.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
    },
  };
  await writeLabel(session, schema);
  return {
    schema,
    applicationSchema,
    done,
    left: batch.left,
    functions: batch.left === 0 ? await countFunctions(session) : 0,
  };
}

/** Functions that the owner made, without those of range types. */
async function countFunctions(session: Session): Promise<number> {
  const rows = await session.query(
    `SELECT count(*) AS functions FROM pg_proc p WHERE p.pronamespace = ${currentSchema}
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                     AND d.deptype IN ('e', 'i'))`,
  );
  return number(only(rows), 'functions');
}

/** The interrupted quarantine, unless new objects have the same names. */
async function unfinishedSchema(session: Session): Promise<QuarantineSchema | null> {
  for (const schema of await readSchemas(session)) {
    if (schema.label.state === 'unfinished' && (await findNameClashes(session, schema.name)).length === 0)
      return schema;
  }
  return null;
}

/**
 * Moves a batch of a quarantine back to the application's schema. After the last one it drops the quarantine schema,
 * unless it holds other objects.
 */
export async function restoreBatch(session: Session, batch: Batch, schema: QuarantineSchema): Promise<Progress> {
  const applicationSchema = await quotedApplicationSchema(session);
  const done = await moveObjects(session, batch, schema.name, applicationSchema);
  await dropOrLabel(session, schema, batch, 'unfinished');
  return { schema, applicationSchema, done, left: batch.left, functions: 0 };
}

/**
 * Drops a batch of a quarantine, and after the last one the schema. Never uses CASCADE, so objects outside of the list
 * stay.
 * @throws DependentObjectsError if an object that stays depends on one of the batch
 */
export async function dropBatch(session: Session, batch: Batch, schema: QuarantineSchema): Promise<Progress> {
  await dropKeysOfLaterBatches(session, batch, schema.name);
  await dropObjects(session, batch.objects, schema.name);
  await dropOrLabel(session, schema, batch, 'purging');
  return {
    schema,
    applicationSchema: await quotedApplicationSchema(session),
    done: batch.objects.map((object) => ({ object, rows: null })),
    left: batch.left,
    functions: 0,
  };
}

/** Drops foreign keys of tables in later batches that refer to tables in this batch. */
async function dropKeysOfLaterBatches(session: Session, { objects }: Batch, schema: string): Promise<void> {
  const keys = await session.query(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname) AS statement
     FROM pg_constraint k JOIN pg_class here ON here.oid = k.conrelid JOIN pg_class there ON there.oid = k.confrelid
     WHERE k.contype = 'f' AND k.conparentid = 0 AND here.relnamespace = to_regnamespace($1)
       AND there.relnamespace = to_regnamespace($1)
       AND there.relname::text IN (SELECT json_array_elements_text($2::json))
       AND NOT here.relname::text IN (SELECT json_array_elements_text($2::json))`,
    [schema, JSON.stringify(objects.map(({ name }) => name))],
  );
  for (const row of keys) await session.run(text(row, 'statement'));
}

/** Drops objects of one list, which may depend on each other in any order. @throws DependentObjectsError */
async function dropObjects(session: Session, objects: readonly QuarantineObject[], schema: string): Promise<void> {
  let left = objects;
  for (;;) {
    const stuck: QuarantineObject[] = [];
    let refused: DependentObjectsError | null = null;
    for (const kind of new Set(left.map((object) => object.kind))) {
      const alike = left.filter((object) => object.kind === kind);
      // all objects of a kind in one statement, because tables may refer to each other in a circle; one by one if that
      // fails
      if ((await tryToDrop(session, alike, schema)) === null) continue;
      for (const object of alike) {
        const dependents = await tryToDrop(session, [object], schema);
        if (dependents === null) continue;
        stuck.push(object);
        refused ??= dependents;
      }
    }
    if (refused === null) return;
    if (stuck.length === left.length) throw refused;
    left = stuck;
  }
}

/** @returns null if they are dropped; otherwise the obstacle, and nothing is dropped */
async function tryToDrop(
  session: Session,
  objects: readonly QuarantineObject[],
  schema: string,
): Promise<DependentObjectsError | null> {
  // IF EXISTS: dropping a table drops its partitions
  const names = objects.map(({ quoted }) => `${schema}.${quoted}`).join(', ');
  await session.run('SAVEPOINT before_drop');
  try {
    await session.run(`DROP ${objects[0]?.kind ?? 'TABLE'} IF EXISTS ${names} RESTRICT; RELEASE before_drop`);
    return null;
  } catch (error) {
    const refused = asDependentObjectsError(error);
    if (refused === null) throw error;
    await session.run('ROLLBACK TO before_drop; RELEASE before_drop');
    return refused;
  }
}

async function moveObjects(session: Session, { objects }: Batch, from: string, to: string): Promise<Progress['done']> {
  const done: { object: QuarantineObject; rows: number | null }[] = [];
  for (const object of objects) done.push({ object, rows: await countRows(session, from, object) });
  await session.run(objects.map(({ kind, quoted }) => `ALTER ${kind} ${from}.${quoted} SET SCHEMA ${to}`).join(';'));
  return done;
}

async function dropOrLabel(
  session: Session,
  schema: QuarantineSchema,
  { left }: Batch,
  cutOff: Label['state'],
): Promise<void> {
  const state = left === 0 ? 'complete' : cutOff;
  if (left === 0 && (await isEmpty(session, schema.name))) await session.run(`DROP SCHEMA ${schema.name}`);
  else await writeLabel(session, { ...schema, label: { ...schema.label, state } });
}

/** Whether a schema holds no objects, also none that are never moved, such as functions. */
async function isEmpty(session: Session, schema: string): Promise<boolean> {
  const rows = await session.query(
    `SELECT FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace($1) LIMIT 1`,
    [schema],
  );
  return rows.length === 0;
}

/** Names that exist in both schemas: indexes and types conflict in the same way as tables. */
export async function findNameClashes(session: Session, schema: string): Promise<readonly string[]> {
  const rows = await session.query(
    `SELECT held.relname::text AS name FROM pg_class held JOIN pg_class here USING (relname)
     WHERE held.relnamespace = to_regnamespace($1) AND here.relnamespace = ${currentSchema}
     UNION
     SELECT coalesce(element.typname, held.typname)::text
     FROM pg_type held JOIN pg_type here USING (typname) LEFT JOIN pg_type element ON element.typarray = held.oid
     WHERE held.typnamespace = to_regnamespace($1) AND here.typnamespace = ${currentSchema}
     ORDER BY name`,
    [schema],
  );
  return rows.map((row) => text(row, 'name'));
}
