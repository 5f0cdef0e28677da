/**
 * The prefix of all files that db-init puts into folders beside other files. Backups omit these files, and restores do
 * not touch them.
 */
export const ownPrefix = '.db-init';
