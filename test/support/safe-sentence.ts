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
      'both databases exist with all their rows, but db-init does not know which one is live now:',
      'the connection broke during the commit, and db-init could not ask the server for the result:',
      // another run is working
      'this run stopped before its next step, and moved nothing since it saw that.',
    ),
  ],
  [
    'changed',
    beginsWith(
      'the changes that this run had committed stay',
      'the restored database is live[,;]',
      'the database from before the restore is live[,;]',
      'rows that fit are back in their tables[.]',
    ),
  ],
  [
    'unchanged',
    beginsWith(
      'the file and the files beside it are unchanged[.]',
      'nothing was (?:moved|changed|dropped|connected to)[.,: ]',
      'the (?:live )?database is as it was[.:]',
      'everything ran in one transaction and was rolled back: the database is exactly as it was[.]',
      'the open transaction was rolled back, so its changes are not in the database[.]',
      'what was not committed was rolled back by the server[.]',
      'unfinished work was rolled back[.]',
      '(?:the other run continues[.] This one|this run|db-init connected to nothing and) changed nothing[.,]',
      'no row was deleted\\. The application does not start on this schema[.]',
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
