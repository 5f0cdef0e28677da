import type { Attachment, HealthFacts } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { Catalog } from '../model/catalog.ts';
import type { Difference } from '../model/difference.ts';
import { findDifferences } from './comparison.ts';
import { attachmentsOn, changedDefaults, uncheckedReferences, widerColumnNotes } from './owner-attachments.ts';
import { type ExpectedSchema, faultOfAnswer, requiredSeedTables } from './row-questions.ts';

/**
 * Finds everything that prevents the application from working at the head: missing parts of the schema, objects that
 * refuse its writes, and rows that do not fit. Pure.
 */
export function findFaults({ head }: ExpectedSchema, seen: HealthFacts, engine: Engine): readonly Difference[] {
  const differences = findDifferences(head, seen.catalog, engine);
  const { answers } = seen.runtime;
  const inRows = answers.flatMap((answer) => faultOfAnswer(answer, head, seen));
  const empty = new Set(answers.flatMap(({ fault, table }) => (fault === 'seed' ? [table] : [])));
  // an enum type counts as one fault, even if several of its labels are used
  const types = new Set(differences.map((difference) => difference.kind === 'missing-enum' && difference.name));
  return [
    ...differences,
    ...attachmentsOn(head, seen, engine)
      .filter(({ refuses }) => refuses)
      .map((attachment) => ({ kind: 'obstruction', attachment }) as const),
    ...inRows.filter((fault) => {
      if (fault.kind !== 'missing-enum') return true;
      const isNew = !types.has(fault.name);
      types.add(fault.name);
      return isNew;
    }),
    ...requiredSeedTables
      .filter((table) => empty.has(table))
      .map((table) => ({ kind: 'missing-rows', table }) as const),
  ];
}

/**
 * Finds objects that are not the application's and may affect its writes without refusing them: reported as notes, not
 * as faults.
 * @param atHead whether the version rows are those of the head: earlier revisions have other defaults
 */
export function findNotes(head: Catalog, seen: HealthFacts, engine: Engine, atHead: boolean): readonly Attachment[] {
  return [
    ...(atHead ? changedDefaults(head, seen.catalog, engine) : []),
    ...attachmentsOn(head, seen, engine).filter(({ refuses }) => !refuses),
    ...(engine === 'sqlite' ? uncheckedReferences(head, seen.catalog) : widerColumnNotes(head, seen)),
  ];
}
