/** Names of columns that hold hashes, tokens, or keys to other services. */
const secretNames = /passw|secret|token|hash|salt|(?:\b|_)otp|private_key|(?:api|access)_?key|(?:\b|_)keys?\b/i;

/**
 * Whether any of the columns may hold a secret, so that its values must not be shown.
 * @param names one name, or several in one text: `email, token`
 */
export function namesSecret(names: string): boolean {
  return secretNames.test(names);
}
