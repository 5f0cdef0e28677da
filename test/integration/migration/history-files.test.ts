import { expect, it } from 'vitest';
import { createGraph } from '../../../src/migration/graph.ts';
import { migrate } from '../../../src/migration/migrator.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { versionTable } from '../../../src/schema/catalog.ts';
import { catalogAt, changeBetween, loadHistory } from '../../../src/schema/history.ts';
import { describeEngines } from '../../support/database.ts';
import { signal, withDatabase } from '../../support/open-database.ts';

describeEngines('the history in src/schema', ({ name, create }) => {
  it('contains the result of every migration (otherwise: npm run release:write)', async () => {
    const history = await loadHistory(name);
    const wrong: unknown[] = [];
    await withDatabase((await create()).url, (database) =>
      database.transaction(async (transaction) => {
        for (const [index, { id }] of releaseGraph.revisions.entries()) {
          const graph = createGraph(releaseGraph.revisions.slice(0, index + 1));
          await migrate(transaction, graph, { versioned: index > 0, signal, onApplied: () => undefined });
          const { tables, enums } = (await transaction.observe()).catalog;
          const { [versionTable]: versions, ...others } = tables;
          expect(versions, id).toBeDefined();
          const difference = changeBetween(catalogAt(graph.heads, graph, history), { tables: others, enums });
          if (Object.keys(difference).length > 0) wrong.push({ id, difference });
        }
      }),
    );
    expect(wrong).toEqual([]);
  });
});
