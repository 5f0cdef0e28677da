import type { Attachment } from '../model/database-facts.ts';
import type { Mismatch } from '../model/difference.ts';

/** A difference as `--json` reports it. */
export interface DifferenceReport {
  readonly kind: Mismatch['kind'];
  /** `table`, `table.column`, or the name of a constraint, index or type with its table. */
  readonly object: string;
  readonly message: string;
}

/** Names what lies on a table or around the database. */
export function describeAttachment({ table, what, name, detail }: Attachment): { object: string; message: string } {
  const object = table === null || table === name ? name : `${table}.${name}`;
  const place = table === null || table === name ? '' : ` on ${table}`;
  return { object, message: `${what} ${name}${place}: ${detail.replaceAll(/\s+/g, ' ')}` };
}

/** Puts a difference into words. */
export function describeDifference(difference: Mismatch): DifferenceReport {
  const { kind } = difference;
  switch (difference.kind) {
    case 'unexpected-table':
      return { kind, object: difference.table, message: `table ${difference.table} is of another revision` };
    case 'unexpected-column': {
      const object = `${difference.table}.${difference.column}`;
      return { kind, object, message: `column ${object} is of another revision` };
    }
    case 'missing-table':
      return { kind, object: difference.table, message: `table ${difference.table} is missing` };
    case 'unreadable-table':
      return { kind, object: difference.table, message: `table ${difference.table} may not be read by this user` };
    case 'missing-column': {
      const object = `${difference.table}.${difference.column}`;
      return { kind, object, message: `column ${object} (${difference.expected.type}) is missing` };
    }
    case 'different-type': {
      const object = `${difference.table}.${difference.column}`;
      const { expected, found } = difference;
      return { kind, object, message: `column ${object} is ${found}, and should be ${expected}` };
    }
    case 'narrower-type': {
      const object = `${difference.table}.${difference.column}`;
      const { expected, found } = difference;
      return { kind, object, message: `column ${object} is ${found}, which holds less than ${expected}` };
    }
    case 'must-be-not-null': {
      const object = `${difference.table}.${difference.column}`;
      return { kind, object, message: `column ${object} allows NULL, and should not` };
    }
    case 'must-be-nullable': {
      const object = `${difference.table}.${difference.column}`;
      return { kind, object, message: `column ${object} does not allow NULL, and should` };
    }
    case 'missing-sequence': {
      const object = `${difference.table}.${difference.column}`;
      return { kind, object, message: `column ${object} has lost the sequence that numbers new rows` };
    }
    case 'missing-constraint': {
      const { table, name, definition } = difference;
      const label = name === definition ? definition : `${name}: ${definition}`;
      return { kind, object: `${table}.${name}`, message: `constraint of ${table} is missing: ${label}` };
    }
    case 'missing-index': {
      const { table, name, definition } = difference;
      return { kind, object: `${table}.${name}`, message: `index ${name} of ${table} is missing: ${definition}` };
    }
    case 'invalid-index': {
      const { table, name } = difference;
      return {
        kind,
        object: `${table}.${name}`,
        message: `index ${name} of ${table} is invalid: its creation was cut off`,
      };
    }
    case 'unknown-label': {
      const object = `${difference.table}.${difference.column}`;
      return {
        kind,
        object,
        message: `column ${object} holds "${difference.label}", which the application does not know`,
      };
    }
    case 'sequence-behind': {
      const object = `${difference.table}.${difference.column}`;
      return {
        kind,
        object,
        message: `the sequence of ${object} is behind its rows: new ones would get numbers that are taken`,
      };
    }
    case 'missing-rows': {
      const { table } = difference;
      return { kind, object: table, message: `table ${table} has none of the rows that its revision makes` };
    }
    case 'obstruction':
      return { kind, ...describeAttachment(difference.attachment) };
    case 'missing-enum': {
      const { name, values } = difference;
      return {
        kind,
        object: name,
        message: `enumeration type ${name} (${values.join(', ')}) is missing or lacks values`,
      };
    }
  }
}

/** Says what was done about a difference: `added the missing index …`. The object is that of `describeDifference`. */
export function describeRepaired(difference: Mismatch): { object: string; message: string } {
  return { object: describeDifference(difference).object, message: repairText(difference) };
}

function repairText(difference: Mismatch): string {
  switch (difference.kind) {
    case 'missing-table':
      return `added the missing table ${difference.table}`;
    case 'missing-column':
      return `added the missing column ${difference.table}.${difference.column} (${difference.expected.type})`;
    case 'different-type':
    case 'narrower-type': {
      const { table, column, expected, found } = difference;
      return `changed the type of column ${table}.${column} from ${found} to ${expected}`;
    }
    case 'must-be-not-null':
      return `set column ${difference.table}.${difference.column} to NOT NULL`;
    case 'must-be-nullable':
      return `allowed NULL in column ${difference.table}.${difference.column}`;
    case 'missing-sequence':
      return `added the missing sequence of column ${difference.table}.${difference.column}`;
    case 'missing-constraint': {
      const { table, name, definition } = difference;
      const label = name === definition ? definition : `${name}: ${definition}`;
      return `added the missing constraint of ${table}: ${label}`;
    }
    case 'missing-index':
      return `added the missing index ${difference.name} of ${difference.table}: ${difference.definition}`;
    case 'invalid-index':
      return `built the invalid index ${difference.name} of ${difference.table} again`;
    case 'missing-enum':
      return `completed the enumeration type ${difference.name} (${difference.values.join(', ')})`;
    case 'sequence-behind':
      return `moved the sequence of ${difference.table}.${difference.column} past the rows that are there`;
    // these are refused, never repaired
    case 'unexpected-table':
    case 'unexpected-column':
    case 'unreadable-table':
    case 'missing-rows':
    case 'unknown-label':
    case 'obstruction':
      return `put right: ${describeDifference(difference).message}`;
  }
}
