/** A name quoted for either engine. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as a literal of either engine; PostgreSQL's standard_conforming_strings is on in every session of ours. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
