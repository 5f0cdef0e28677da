import Database from 'better-sqlite3';
import { revisions } from '../../../migrations/graph.ts';
import { postgresSession } from '../../../src/database/postgres/session.ts';
import { sqliteSession } from '../../../src/database/sqlite/session.ts';
import type { Session } from '../../../src/database/session.ts';
import { openSchema } from '../../../src/migration/schema-builder/schema.ts';
import { atEnd } from '../../support/cleanup.ts';
import { connectClient, type TestDatabase } from '../../support/database.ts';

/** A database of a test's own, on its way through the revisions, inside one transaction. */
export interface Stage {
  /** What is altered through it is known to the revisions that follow. */
  readonly session: Session;
  /** Carries out all revisions after the last one up to `id`, in the order of the graph. */
  migrateTo(id: string): Promise<void>;
  /** Goes aside to do something that leaves no trace: neither in the database nor on the way. */
  aside(act: () => Promise<void>): Promise<void>;
}

/** Opens an empty database as a run does. It is closed after the file's tests. */
export async function openStage(database: TestDatabase): Promise<Stage> {
  const session = database.engine === 'postgresql' ? await connect(database.url) : open(database.name);
  let schema = await openSchema(session);
  let pending = [...revisions];
  return {
    get session() {
      return schema;
    },
    async migrateTo(id) {
      const end = pending.findIndex((revision) => revision.id === id) + 1;
      if (end === 0) throw new Error(`${id} is not ahead.`);
      for (const revision of pending.splice(0, end)) {
        const { up } = await revision.load();
        await up({ context: schema });
      }
      await schema.flush();
    },
    async aside(act) {
      const ahead = [...pending];
      await session.run('SAVEPOINT aside');
      try {
        await act();
      } finally {
        await session.run('ROLLBACK TO SAVEPOINT aside');
        schema = await openSchema(session);
        pending = ahead;
      }
    },
  };
}

/** A database at `revision` with these rows in it. @param rows statements that insert them */
export async function openStageAt(database: TestDatabase, revision: string, rows: string): Promise<Stage> {
  const stage = await openStage(database);
  await stage.migrateTo(revision);
  await stage.session.run(rows);
  return stage;
}

async function connect(url: string): Promise<Session> {
  const client = await connectClient(url);
  atEnd(() => client.end());
  await client.query('BEGIN');
  return postgresSession(client);
}

function open(path: string): Session {
  const database = new Database(path);
  atEnd(async () => void database.close());
  database.exec('PRAGMA foreign_keys = OFF; BEGIN');
  return sqliteSession(database);
}
