/** What a line is to its reader. The recordings of the documentation have the same colours. */
export type Tone = 'plain' | 'dim' | 'bad' | 'warning' | 'good' | 'strong';

export interface Part {
  readonly tone: Tone;
  readonly text: string;
}

/** The parts of a line: the time at which it was logged, and the rest. */
export function partsOf(line: string): readonly [Part, Part] {
  const [, time = '', rest = ''] = /^(\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)? )?(.*)$/.exec(line) ?? [];
  return [
    { tone: 'dim', text: time },
    { tone: toneOf(rest), text: rest },
  ];
}

function toneOf(text: string): Tone {
  if (/^(?:=+$|⋮)/.test(text)) return 'dim';
  if (text.startsWith('✗')) return 'bad';
  if (/^(?:WARNING|ERROR|Detected corrupted)/.test(text)) return 'warning';
  if (/healthy and current|read back and found whole|^Restored:|as it was\.$|is whole:/.test(text)) return 'good';
  return /^(?:Safe:|RECOVERY OPTIONS:)/.test(text) ? 'strong' : 'plain';
}

/** ECMA-48, SGR. The darkest and the brightest of a terminal's colours are left to its owner. */
const codes = { dim: '2', bad: '1;31', warning: '33', good: '32', strong: '1' } as const;

/** Lines with the colours of a terminal. */
export function paint(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      partsOf(line)
        .map((part) =>
          part.tone === 'plain' || part.text === '' ? part.text : `\u001B[${codes[part.tone]}m${part.text}\u001B[0m`,
        )
        .join(''),
    )
    .join('\n');
}
