import type { MeasuredObject, Measurement, Change } from '../model/measurement.ts';

/** What has changed between two measurements; empty if the database is the same. */
export function changesBetween(before: Measurement, now: Measurement): readonly Change[] {
  if (before.objects !== null && now.objects === null) {
    return [{ kind: 'no-database' }];
  }
  const [then, present] = [before.objects ?? {}, now.objects ?? {}];
  const changes: Change[] = [];
  if (before.revisions.join() !== now.revisions.join()) {
    changes.push({ kind: 'revisions', before: before.revisions, now: now.revisions });
  }
  for (const object of new Set([...Object.keys(then), ...Object.keys(present)])) {
    const change = changeOf(object, then[object], present[object]);
    if (change !== null) changes.push(change);
  }
  return changes.length === 0 && before.file !== now.file ? [{ kind: 'file' }] : changes;
}

function changeOf(object: string, before?: MeasuredObject, now?: MeasuredObject): Change | null {
  if (before === undefined) return { kind: 'new', object };
  if (now === undefined) return { kind: 'gone', object };
  if (before.definition !== now.definition) return { kind: 'definition', object };
  if (before.rows !== null && now.rows !== null && before.rows !== now.rows) {
    return { kind: 'rows', object, before: before.rows, now: now.rows };
  }
  const comparable = before.content !== null && now.content !== null;
  return comparable && before.content !== now.content ? { kind: 'content', object } : null;
}
