import type { Settings } from './config.ts';
import { secretsOfNotification } from './notification.ts';
import { hostsOf } from './postgresql.ts';

/** The password of an address, as it is written there. */
const writtenPassword = /:\/\/[^:/]*:([^@]*)@|[?&]password=([^&]*)/g;

/** Texts so short that they occur in many sentences. */
const tooShort = /^(?:.{0,2}|\w{3}|\d{4})$/su;

/** Words of db-init's own messages that people use as passwords. */
const messageWords: ReadonlySet<string> = new Set(
  (
    'admin app application backup compose container correct current data database db-init default development docker ' +
    'empty file gate head healthy host init level local mend nothing password plan port postgres postgresql public ' +
    'reset restore root schema secret seed server settings sqlite start state status super table test time ' +
    'timetracker tracker uploads user users verify version volume wait wrong'
  ).split(' '),
);

/**
 * The texts that no message may show, longest first: the key of the settings, the addresses of notifications, the
 * whole DATABASE_URL, and the password as it is and percent-encoded. A password that equals the name of the user, the
 * host or the database (as the documented default does), or that occurs in our own sentences, is only redacted as part
 * of an address: otherwise the sentences would become unreadable, and their gaps would reveal the password.
 */
export function secretsOf({
  database,
  settingsKey,
  notification,
}: Pick<Settings, 'database' | 'settingsKey' | 'notification'>): readonly string[] {
  const secrets = [...secretsOfDatabase(database), settingsKey, ...secretsOfNotification(notification)];
  return secrets
    .filter((secret) => !tooShort.test(secret) && !messageWords.has(secret))
    .toSorted((one, other) => other.length - one.length);
}

function secretsOfDatabase(database: Settings['database']): readonly string[] {
  if (database === null || database.kind === 'sqlite') return [];

  const { url = '', password } = database;
  if (password === '') return [];
  const encoded = encodeURIComponent(password);
  const lowerCase = encoded.replace(/%../g, (byte) => byte.toLowerCase());
  const written = [...url.matchAll(writtenPassword)].flatMap(([, first, second]) => [first ?? '', second ?? '']);

  const names = new Set([database.user, database.database, ...hostsOf(database).map(({ host }) => host)]);
  const forms = new Set([url, password, encoded, lowerCase, ...written]);
  return [...forms].filter((form) => !names.has(form));
}
