/** Names of columns that hold hashes, tokens, or keys to other services. */
const secretNames = /passw|secret|token|hash|salt|(?:\b|_)otp|private_key|(?:api|access)_?key|(?:\b|_)keys?\b/i;

/**
 * Whether a column, or one of several, may hold a secret: its values are not shown to anybody.
 * @param names one name, or several in one text: `email, token`
 */
export function namesSecret(names: string): boolean {
  return secretNames.test(names);
}
