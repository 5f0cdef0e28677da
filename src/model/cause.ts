export interface LockHolder {
  readonly description: string;
}

/** A session or prepared transaction that held a lock longer than the lock timeout of a statement. */
export type Blocker =
  | {
      readonly kind: 'session';
      readonly pid: number;
      readonly application: string;
      readonly user: string;
      readonly client: string;
      /** `active`, `idle in transaction`, …; empty, like `since` and `query`, if this user may not see it. */
      readonly state: string;
      /** When its transaction began. */
      readonly since: string;
      /** Its last statement, without values. */
      readonly query: string;
      readonly tables: readonly string[];
    }
  /** A prepared transaction, by its name. */
  | { readonly kind: 'prepared'; readonly name: string; readonly user: string; readonly tables: readonly string[] };

/** Why a statement failed; `other` if the error does not show it. */
export type Cause =
  | {
      readonly kind:
        | 'connection-lost'
        | 'disk-full'
        /** A disk of the machine or container in which db-init runs. */
        | 'disk-full-here'
        | 'memory'
        /** The server has no room for more locks (max_locks_per_transaction). */
        | 'lock-table'
        | 'connections'
        | 'deadlock'
        /** The statement took too long, or somebody cancelled it. */
        | 'cancelled'
        | 'read-only'
        | 'rights'
        /** The data on the disk is damaged, or cannot be read or written. */
        | 'damage'
        | 'rows'
        | 'other';
    }
  /** Views and rules of the owner depend on the object to be altered or dropped. */
  | { readonly kind: 'dependents'; readonly objects: readonly Dependent[] }
  /** The owner's event triggers refuse the change of the schema. PostgreSQL only. */
  | { readonly kind: 'event-triggers'; readonly triggers: readonly EventTrigger[] }
  /** Without blockers: they have ended since, or the engine does not report them (SQLite). */
  | { readonly kind: 'lock-timeout'; readonly blockers: readonly Blocker[] };

/** A view, materialized view, rule or trigger of the owner, with the statements that drop it and create it again. */
export interface Dependent {
  readonly what: string;
  readonly name: string;
  readonly drop: string;
  /** The statements that create it again, with its indexes, rules, triggers, owner and rights. */
  readonly create: readonly string[];
}

/** An event trigger of the owner, with the statements that disable and enable it. */
export interface EventTrigger {
  readonly name: string;
  readonly event: string;
  readonly function: string;
  readonly disable: string;
  readonly enable: string;
}
