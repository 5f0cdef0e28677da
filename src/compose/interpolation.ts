/** The innermost `${NAME}`, `${NAME:-word}` or `${NAME:?message}`. */
const variable = /\$\{[A-Za-z_]\w*(?:(:?[-+?])([^{}]*))?\}/g;

/**
 * The text as compose reads it if no variable is set: a variable becomes its default, or else the empty text. The real
 * value may differ, so use it only to recognise services.
 */
export function withDefaults(text: string): string {
  let before = '';
  let after = text;
  while (after !== before) {
    before = after;
    after = before.replaceAll(variable, (_whole, operator: string | undefined, word: string | undefined) =>
      operator?.endsWith('-') === true ? (word ?? '') : '',
    );
  }
  return after.replaceAll(/\$[A-Za-z_]\w*/g, '').replaceAll('$$', '$');
}
