/** The innermost `${NAME}`, `${NAME:-word}` or `${NAME:?message}`. */
const variable = /\$\{[A-Za-z_]\w*(?:(:?[-+?])([^{}]*))?\}/g;

/**
 * The text as compose reads it where no variable is set: defaults are taken, everything else is empty. The real value
 * may differ; this is for recognising what a file is about.
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
