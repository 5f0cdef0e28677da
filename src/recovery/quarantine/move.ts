import { currentSchema } from '../../database/current-schema.ts';
import { number, only, text } from '../../database/rows.ts';
import type { Session } from '../../database/session.ts';
import { createSchema, type Label, type QuarantineSchema, readSchemas, writeLabel } from './label.ts';
import { type Batch, countRows, isType, type Thing } from './things.ts';

/** The schema that the application works in, as SQL writes its name. @throws TypeError where there is none */
export async function homeOf(session: Session): Promise<string> {
  return text(only(await session.query('SELECT quote_ident(current_schema()) AS name')), 'name');
}

/** What one transaction did. */
export interface Progress {
  /** As its label says now. */
  readonly schema: QuarantineSchema;
  readonly done: readonly { readonly thing: Thing; readonly rows: number | null }[];
  readonly left: number;
  /** How many functions of the owner's stayed in the application's schema, once everything else is moved. */
  readonly functions: number;
}

/**
 * Moves a batch of the application's schema to a schema `tt_quarantine_<UTC time>`. Nothing is copied and nothing is dropped:
 * ALTER … SET SCHEMA changes the catalog only, so the size of a table does not matter.
 *
 * PostgreSQL only; to be called within a transaction.
 * @param into where former batches went; without it, a quarantine that was cut off goes on, or a new one begins
 */
export async function quarantineBatch(
  session: Session,
  batch: Batch,
  why: string,
  into: QuarantineSchema | null = null,
): Promise<Progress> {
  const { name, label } = into ?? (await unfinishedSchema(session)) ?? (await createSchema(session, why));
  const done = await move(session, batch, await homeOf(session), name);
  const schema: QuarantineSchema = {
    name,
    label: {
      ...label,
      state: batch.left === 0 ? 'complete' : 'unfinished',
      relations: label.relations + batch.things.filter(({ kind }) => !isType(kind)).length,
      rows: label.rows + done.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
    },
  };
  await writeLabel(session, schema);
  return { schema, done, left: batch.left, functions: batch.left === 0 ? await countFunctions(session) : 0 };
}

/** Functions that the owner made; those of a range type belong to it. */
async function countFunctions(session: Session): Promise<number> {
  const rows = await session.query(
    `SELECT count(*) AS functions FROM pg_proc p WHERE p.pronamespace = ${currentSchema}
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                     AND d.deptype IN ('e', 'i'))`,
  );
  return number(only(rows), 'functions');
}

/** The quarantine that was cut off, unless what has come since has the same names. */
async function unfinishedSchema(session: Session): Promise<QuarantineSchema | null> {
  for (const schema of await readSchemas(session)) {
    if (schema.label.state === 'unfinished' && (await findNameClashes(session, schema.name)).length === 0)
      return schema;
  }
  return null;
}

/** Moves a batch of a quarantine back to the application's schema; with the last one the schema goes, unless others use it. */
export async function bringBackBatch(session: Session, batch: Batch, schema: QuarantineSchema): Promise<Progress> {
  const done = await move(session, batch, schema.name, await homeOf(session));
  await closeOrLabel(session, schema, batch, 'unfinished');
  return { schema, done, left: batch.left, functions: 0 };
}

/** Drops a batch of a quarantine; with the last one the schema goes. */
export async function dropBatch(session: Session, batch: Batch, schema: QuarantineSchema): Promise<Progress> {
  // IF EXISTS: the one before may have taken it along, as a table does with its partitions
  const drops = batch.things.map(({ kind, quoted }) => `DROP ${kind} IF EXISTS ${schema.name}.${quoted} CASCADE`);
  await session.run(drops.join(';'));
  await closeOrLabel(session, schema, batch, 'purging');
  return { schema, done: batch.things.map((thing) => ({ thing, rows: null })), left: batch.left, functions: 0 };
}

async function move(session: Session, { things }: Batch, from: string, to: string): Promise<Progress['done']> {
  const done: { thing: Thing; rows: number | null }[] = [];
  for (const thing of things) done.push({ thing, rows: await countRows(session, from, thing) });
  await session.run(things.map(({ kind, quoted }) => `ALTER ${kind} ${from}.${quoted} SET SCHEMA ${to}`).join(';'));
  return done;
}

async function closeOrLabel(
  session: Session,
  schema: QuarantineSchema,
  { left }: Batch,
  cutOff: Label['state'],
): Promise<void> {
  const state = left === 0 ? 'complete' : cutOff;
  if (left === 0 && (await isEmpty(session, schema.name))) await session.run(`DROP SCHEMA ${schema.name}`);
  else await writeLabel(session, { ...schema, label: { ...schema.label, state } });
}

/** Somebody may have put into the schema what is not moved, such as a function. */
async function isEmpty(session: Session, schema: string): Promise<boolean> {
  const rows = await session.query(
    `SELECT FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace($1) LIMIT 1`,
    [schema],
  );
  return rows.length === 0;
}

/** Names that a quarantine and the application's schema have both: indexes and types stand in the way like tables do. */
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

/**
 * What lies outside a quarantine and needs something in it, in the server's words. What the server makes and drops
 * along by itself, such as the functions of a range type, does not count.
 */
export async function findDependents(session: Session, schema: string): Promise<readonly string[]> {
  const rows = await session.query(
    `WITH inside AS (
       SELECT 'pg_class'::regclass AS class, oid FROM pg_class WHERE relnamespace = to_regnamespace($1)
       UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = to_regnamespace($1)
       UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = to_regnamespace($1)
     ), related AS (
       SELECT d.* FROM pg_depend d JOIN inside i ON d.refclassid = i.class AND d.refobjid = i.oid
     )
     SELECT DISTINCT pg_describe_object(classid, objid, objsubid) AS dependent FROM related r
     WHERE (deptype = 'n' OR deptype = 'a' AND classid = 'pg_class'::regclass
            AND EXISTS (SELECT FROM pg_class c WHERE c.oid = objid AND c.relispartition))
       AND coalesce((pg_identify_object(classid, objid, objsubid)).schema,
                    (SELECT k.connamespace::regnamespace::text FROM pg_constraint k
                     WHERE r.classid = 'pg_constraint'::regclass AND k.oid = r.objid),
                    (pg_identify_object_as_address(classid, objid, objsubid)).object_names[1]) IS DISTINCT FROM $1
       AND NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = r.classid AND own.objid = r.objid
                       AND own.deptype = 'i' AND own.refclassid = 'pg_type'::regclass)
     ORDER BY dependent`,
    [schema],
  );
  return rows.map((row) => text(row, 'dependent'));
}
