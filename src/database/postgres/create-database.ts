import { quoteName, quoteText } from '../../platform/sql-quoting.ts';
import { only, optionalText, text } from '../row-values.ts';
import type { Session } from '../session.ts';

/**
 * SQL for whether a database is in the default tablespace. A new database is created there by default; to name the
 * tablespace would require the CREATE right on it.
 */
export const isInDefaultTablespace = `dattablespace = (SELECT dattablespace FROM pg_database WHERE datname = 'template0')`;

/**
 * Builds the CREATE DATABASE statement for a database like another one. `to_jsonb` makes the query work on older
 * servers, which lack some columns of pg_database.
 */
export async function createDatabaseStatement(name: string, like: string, session: Session): Promise<string> {
  const [row] = await session.query(
    `SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding,
            CASE WHEN NOT ${isInDefaultTablespace} THEN spcname END AS tablespace,
            datcollate AS collate, datctype AS ctype,
            to_jsonb(d)->>'datlocprovider' AS provider,
            coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale,
            to_jsonb(d)->>'daticurules' AS rules
     FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = $1`,
    [like],
  );
  if (row === undefined) throw new Error(`there is no database called ${like}`);
  const tablespace = optionalText(row, 'tablespace');
  const options = [
    `OWNER ${quoteName(text(row, 'owner'))}`,
    'TEMPLATE template0',
    `ENCODING ${quoteText(text(row, 'encoding'))}`,
    `LC_COLLATE ${quoteText(text(row, 'collate'))}`,
    `LC_CTYPE ${quoteText(text(row, 'ctype'))}`,
    ...(tablespace === null ? [] : [`TABLESPACE ${quoteName(tablespace)}`]),
    ...localeOptions(optionalText(row, 'provider'), optionalText(row, 'locale'), optionalText(row, 'rules')),
  ];
  return `CREATE DATABASE ${quoteName(name)} ${options.join(' ')}`;
}

/** Builds the ALTER DATABASE statement that gives a database the owner of another one. */
export async function changeOwnerStatement(name: string, like: string, session: Session): Promise<string> {
  const row = only(
    await session.query('SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1', [like]),
  );
  return `ALTER DATABASE ${quoteName(name)} OWNER TO ${quoteName(text(row, 'owner'))}`;
}

/** `provider`: `c` libc, `i` ICU (PostgreSQL 15), `b` builtin (17); null on a server that has only libc. */
function localeOptions(provider: string | null, locale: string | null, rules: string | null): readonly string[] {
  if (provider === null) return [];
  // the provider is named even if it is libc: template0 may have another one
  if (provider === 'c' || locale === null) return ['LOCALE_PROVIDER libc'];
  if (provider === 'b') return ['LOCALE_PROVIDER builtin', `BUILTIN_LOCALE ${quoteText(locale)}`];
  return [
    'LOCALE_PROVIDER icu',
    `ICU_LOCALE ${quoteText(locale)}`,
    ...(rules === null ? [] : [`ICU_RULES ${quoteText(rules)}`]),
  ];
}
