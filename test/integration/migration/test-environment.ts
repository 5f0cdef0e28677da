import Database from 'better-sqlite3';
import { revisions } from '../../../migrations/graph.ts';
import { postgresSession } from '../../../src/database/postgres/session.ts';
import { sqliteSession } from '../../../src/database/sqlite/session.ts';
import type { Session } from '../../../src/database/session.ts';
import { openSchema } from '../../../src/migration/schema-builder/schema.ts';
import { atEnd } from '../../support/cleanup.ts';
import { connectClient, type TestDatabase } from '../../support/database.ts';

/** A database for one test, to which revisions are applied in one transaction. */
export interface Stage {
  /** Later revisions know the changes that are made with it. */
  readonly session: Session;
  /** Applies all revisions after the last one up to `id`, in the order of the graph. */
  migrateTo(id: string): Promise<void>;
  /** Runs `act` and rolls it back, also in the list of applied revisions. */
  aside(act: () => Promise<void>): Promise<void>;
}

/** Opens an empty database like a run. It is closed after the tests of the file. */
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
