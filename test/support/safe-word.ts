/** What the `Safe:` sentence of a banner claims of the live database, compared with what was there when the run began. */
export type Claim = 'unchanged' | 'changed' | 'unknown';

/** The sentence behind `Safe:`, in one line; null where no banner was printed. */
export function safeSentence(output: string): string | null {
  const [, sentence] = /^Safe: (.*?)(?:\n\n|\n=====|$(?![\s\S]))/ms.exec(output) ?? [];
  return sentence?.replaceAll(/\s+/g, ' ').trim() ?? null;
}

const claims: readonly (readonly [Claim, RegExp])[] = [
  ['unknown', /which of them is live now is not known|could not be asked what became of it/],
  ['changed', /what this run had committed before that stays|is live[,;]|rows that fit are back/],
  [
    'unchanged',
    /are unchanged, to the byte|nothing was (?:moved|changed|connected to|dropped)|(?:database|it) is (?:exactly )?as it was|was rolled back|this one changed nothing|this run changed nothing|no row was deleted|whatever was removed is named/,
  ],
];

/** @throws Error if a sentence claims nothing: then it says nothing to a person either */
export function claimOf(sentence: string): Claim {
  const [claim] = claims.find(([, words]) => words.test(sentence)) ?? [];
  if (claim === undefined) throw new Error(`this says nothing of the database: Safe: ${sentence}`);
  return claim;
}

/**
 * Holds the `Safe:` sentence of a run against its database.
 * @param changed whether the live database is another one than before the run, or lets nobody in any more
 * @throws Error if the sentence is not true
 */
export function requireTrueWord(output: string, changed: boolean): void {
  const sentence = safeSentence(output);
  if (sentence === null) return;
  const claim = claimOf(sentence);
  if (claim === 'unknown' || (claim === 'changed') === changed) return;
  throw new Error(`the database was ${changed ? '' : 'not '}changed, but the banner says: Safe: ${sentence}`);
}
