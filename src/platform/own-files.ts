/**
 * Everything that db-init puts into folders beside other files begins with it. No backup holds such a file, and no
 * restore touches one.
 */
export const ownPrefix = '.db-init';
