import type { Settings } from './config.ts';

/** The password of an address, as it is written there. */
const writtenPassword = /:\/\/[^:@/?]*:([^@/?]*)@|[?&]password=([^&]*)/g;

/**
 * What no message may show, longest first: the key of the settings, the whole DATABASE_URL, and the password as it is and
 * percent-encoded. A password that equals the name of the user, the host or the database (as the documented
 * default does) is only kept out as part of the address: blotting it out would blot out the names, and so tell it.
 */
export function secretsOf({ database, settingsKey }: Pick<Settings, 'database' | 'settingsKey'>): readonly string[] {
  const key = settingsKey === '' ? [] : [settingsKey];
  return [...secretsOfDatabase(database), ...key].toSorted((one, other) => other.length - one.length);
}

function secretsOfDatabase(database: Settings['database']): readonly string[] {
  if (database === null || database.kind === 'sqlite') return [];

  const { url = '', password } = database;
  if (password === '') return [];
  const encoded = encodeURIComponent(password);
  const lowerCase = encoded.replace(/%../g, (byte) => byte.toLowerCase());
  const written = [...url.matchAll(writtenPassword)].flatMap(([, first, second]) => [first ?? '', second ?? '']);

  const names = new Set(['', database.user, database.host, database.database]);
  const forms = new Set([url, password, encoded, lowerCase, ...written]);
  return [...forms].filter((form) => !names.has(form));
}
