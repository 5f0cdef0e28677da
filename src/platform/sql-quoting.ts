/** A name quoted for either engine. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A string literal for either engine; every PostgreSQL session of db-init has standard_conforming_strings on. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
