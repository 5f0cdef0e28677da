/** What an archive was made for: to be safe before a change, or because somebody asked. */
export type ArchiveKind = 'safety' | 'manual';
