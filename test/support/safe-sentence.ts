/** The statement of the `Safe:` sentence about the live database, compared with the beginning of the run. */
export type Claim = 'unchanged' | 'changed' | 'unknown';

/** The sentence behind `Safe:`, in one line; null without a banner. */
export function safeSentence(output: string): string | null {
  const [, sentence] = /^Safe: (.*?)(?:\n\n|\n=====|$(?![\s\S]))/ms.exec(output) ?? [];
  return sentence?.replaceAll(/\s+/g, ' ').trim() ?? null;
}

/**
 * The beginnings of sentences, in the complete words of the program: a part of them could also begin another sentence.
 */
const claims: readonly (readonly [Claim, RegExp])[] = [
  [
    'unknown',
    beginsWith(
      'both databases are there with all their rows, but which of them is live now is not known:',
      'the connection broke while the work was being committed, and the server could not be asked what became of it:',
      // another run is working
      'this run stopped before its next step, and moved nothing since it saw that.',
    ),
  ],
  [
    'changed',
    beginsWith(
      'what this run had committed before that stays',
      'the restored database is live[,;]',
      'the database from before the restore is live[,;]',
      'rows that fit are back in their tables,',
    ),
  ],
  [
    'unchanged',
    beginsWith(
      'the file and what lies beside it are unchanged, to the byte[.]',
      'nothing was (?:moved|changed|dropped|connected to)[.,: ]',
      'the (?:live )?database is as it was[.:]',
      'everything ran in one transaction and was rolled back: the database is exactly as it was[.]',
      'the transaction that was open was rolled back: what it had done is not in the database[.]',
      'what was not committed was rolled back by the server[.]',
      'what was not finished was rolled back[.]',
      '(?:the other run goes on; this one|this run) changed nothing[.,]',
      'no row was deleted\\. The application is not started on this schema[.]',
    ),
  ],
];

function beginsWith(...words: readonly string[]): RegExp {
  return new RegExp(`^(?:${words.join('|')})`);
}

/** @throws Error if the sentence is unknown */
export function claimOf(sentence: string): Claim {
  const [claim] = claims.find(([, words]) => words.test(sentence)) ?? [];
  if (claim === undefined) throw new Error(`this says nothing of the database: Safe: ${sentence}`);
  return claim;
}

/**
 * Compares the `Safe:` sentence of a run with its database.
 * @param changed whether the live database differs from before the run, or no longer accepts connections
 * @throws Error if the sentence is not true
 */
export function requireTrueSafeSentence(output: string, changed: boolean): void {
  const sentence = safeSentence(output);
  if (sentence === null) return;
  const claim = claimOf(sentence);
  if (claim === 'unknown' || (claim === 'changed') === changed) return;
  throw new Error(`the database was ${changed ? '' : 'not '}changed, but the banner says: Safe: ${sentence}`);
}
