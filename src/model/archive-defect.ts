import type { Engine } from './engine.ts';
import type { DumpHeaderDefect } from './unusable-archive.ts';
import type { UploadRootName } from '../config/config.ts';

/** What is wrong with the name of an archive entry. */
export type NameDefect =
  | 'empty'
  | 'not-utf8'
  | 'control-character'
  | 'backslash'
  | 'absolute'
  | 'drive-letter'
  /** It has the part `..`. */
  | 'outside'
  /** It has an empty part or the part `.`. */
  | 'not-plain'
  | 'too-long';

/** What is wrong with one entry, without its content. */
export type EntryDefect =
  | 'encrypted'
  | 'compression'
  | 'link-or-device'
  | 'folder-with-content'
  | 'two-sizes'
  | 'no-size'
  /** It is not compressed, but its two sizes differ. */
  | 'stored-size'
  /** Its local header differs from the directory. */
  | 'local-header'
  | 'overlap'
  /** Its content reaches into the directory. */
  | 'beyond-entries'
  /** The bytes behind it are not its data descriptor. */
  | 'bytes-behind'
  /** An archive has no entry with this name. */
  | 'not-of-archives';

/** What is wrong with the content of an entry. */
export type ContentDefect =
  /** It has more bytes than the archive says. */
  | { readonly kind: 'longer'; readonly size: number }
  | { readonly kind: 'size'; readonly found: number; readonly size: number }
  | { readonly kind: 'checksum' | 'packed-size' | 'hash' }
  /** `reason`: the message of zlib. */
  | { readonly kind: 'compressed-data'; readonly reason: string };

/** What is wrong with manifest.json. */
export type ManifestDefect =
  | 'missing'
  | 'too-long'
  /** It is not what the application writes. */
  | 'not-a-manifest'
  /** `db_type` is "unknown". */
  | 'no-database'
  | 'unknown-engine'
  /** A text has control characters, or is too long. */
  | 'odd-text'
  | 'wrong-type'
  /** The part of db-init is damaged, or a newer db-init wrote it. */
  | 'unknown-format';

/** Why an archive counts as damaged, or made to do harm. Names are untrusted. */
export type ArchiveDefect =
  | { readonly kind: 'not-a-file' | 'empty' | 'not-zip' | 'no-entries' }
  /** The message of the ZIP reader or of the file system. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'ends-early' | 'place-outside' | 'entry-count' }
  /** A record of an entry has another signature, or extra fields that are too long or too short. */
  | { readonly kind: 'directory-record' | 'no-local-header' | 'extra-fields' }
  | { readonly kind: 'end-record' | 'bytes-before-entries' }
  /** A bare database file was written to while it was read. */
  | { readonly kind: 'written-to' }
  | { readonly kind: 'name'; readonly name: string; readonly defect: NameDefect }
  | { readonly kind: 'entry'; readonly name: string; readonly defect: EntryDefect }
  | { readonly kind: 'local-name'; readonly name: string; readonly local: string }
  | { readonly kind: 'content'; readonly name: string; readonly defect: ContentDefect }
  | { readonly kind: 'equal-names'; readonly name: string }
  /** Equal on file systems that ignore case and Unicode normalisation. */
  | { readonly kind: 'similar-names'; readonly names: readonly [string, string] }
  | { readonly kind: 'file-and-folder'; readonly name: string }
  | { readonly kind: 'manifest'; readonly defect: ManifestDefect }
  /** The list of entries in our manifest and the entries differ. */
  | { readonly kind: 'listed-missing' | 'listed-twice' | 'listed-size' | 'not-listed'; readonly name: string }
  | { readonly kind: 'uploads-not-listed'; readonly root: UploadRootName }
  | { readonly kind: 'database-missing' }
  | { readonly kind: 'two-databases'; readonly names: readonly [string, string] }
  /** The manifest says another engine than the name of the database's entry. */
  | { readonly kind: 'other-engine'; readonly name: string; readonly engine: Engine }
  /** The database's entry does not begin like a file of its engine. */
  | { readonly kind: 'database-format'; readonly name: string; readonly engine: Engine }
  /** A tool or SQLite cannot read the database. */
  | { readonly kind: 'database-unreadable'; readonly name: string; readonly reason: string }
  | { readonly kind: 'dump-header'; readonly name: string; readonly defect: DumpHeaderDefect }
  /** A plain dump ends before its end. `table`: a table without its rows, as written in SQL; null if it is not known. */
  | { readonly kind: 'cut-off'; readonly table: string | null };

/** A limit that an archive exceeds. `limit`: its value, in bytes unless the comment says otherwise. */
export type ExceededLimit =
  | { readonly kind: 'entries'; readonly entries: number; readonly limit: number }
  /** All entries, unpacked. */
  | { readonly kind: 'unpacked'; readonly limit: number }
  /** `limit`: times. */
  | { readonly kind: 'ratio'; readonly limit: number }
  /** An archive on standard input, packed. */
  | { readonly kind: 'received'; readonly limit: number }
  /** The rows of a dump. */
  | { readonly kind: 'rows'; readonly entry: string; readonly limit: number };
