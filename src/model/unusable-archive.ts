import type { Refusal } from './plan.ts';
import type { Difference } from './difference.ts';

/** What is wrong with the header of a dump of pg_dump. */
export type DumpHeaderDefect =
  | { readonly kind: 'other-format' | 'cut-off' | 'no-name' | 'no-version' }
  /** A format that PostgreSQL 9 and later do not write. */
  | { readonly kind: 'old-format'; readonly major: number; readonly minor: number }
  /** The header states an impossible size of integers. */
  | { readonly kind: 'integer-size'; readonly bytes: number };

/** Why a whole archive cannot be used here. A `message` is that of PostgreSQL, SQLite or a tool. */
export type UnusableArchive =
  | { readonly kind: 'dump-header'; readonly defect: DumpHeaderDefect }
  | { readonly kind: 'dump'; readonly message: string }
  /** The entry of the database, which pg_restore cannot read. */
  | { readonly kind: 'entry'; readonly name: string; readonly message: string }
  | { readonly kind: 'database-damaged'; readonly message: string }
  | { readonly kind: 'database-unreadable' }
  /** The rows that the manifest lists, and those that were found; `found`: undefined if there is no such table. */
  | {
      readonly kind: 'rows-differ';
      readonly tables: readonly {
        readonly table: string;
        readonly found: number | undefined;
        readonly listed: number;
      }[];
    }
  | { readonly kind: 'revisions-differ'; readonly listed: readonly string[]; readonly found: readonly string[] }
  /** Only a newer image knows them. */
  | { readonly kind: 'unknown-revisions'; readonly revisions: readonly string[] }
  /** A dump without a version row, whose revision only a server can find out. */
  | { readonly kind: 'no-revision' }
  /** The gate would refuse its database, whose name is `database`. */
  | { readonly kind: 'refused'; readonly database: string; readonly refusal: Refusal }
  | { readonly kind: 'unrepairable'; readonly differences: readonly Difference[] }
  /** Names that PostgreSQL cannot hold: the first ones, and the number of the others. `longest`: in bytes. */
  | {
      readonly kind: 'unfit-names';
      readonly names: readonly UnfitName[];
      readonly more: number;
      readonly longest: number;
    }
  /** `needed`: bytes, for a temporary copy in one of these folders. */
  | { readonly kind: 'no-room'; readonly name: string; readonly needed: number; readonly places: readonly string[] };

/** A name of the owner's; `column` is null for the name of a table. */
export interface UnfitName {
  readonly table: string;
  readonly column: string | null;
}

/** Which client tool an archive needs that is not installed. `newest`: the newest installed version; null: none. */
export type MissingTool =
  /** `reader`: the oldest major version of pg_restore that reads the dump. */
  | {
      readonly kind: 'pg_restore';
      readonly pgDump: string;
      readonly format: readonly [major: number, minor: number];
      readonly reader: number;
      readonly newest: number | null;
    }
  /** A dump in SQL_ASCII is loaded into a database with another encoding. */
  | { readonly kind: 'psql-for-encoding'; readonly encoding: string; readonly newest: string | null }
  /** The server does not know the settings of this pg_restore; both are major versions. */
  | {
      readonly kind: 'psql-for-old-server';
      readonly restore: number;
      readonly server: number;
      readonly newest: string | null;
    }
  /** The statements of the dump are checked, and then run by psql. */
  | { readonly kind: 'psql'; readonly newest: string | null };
