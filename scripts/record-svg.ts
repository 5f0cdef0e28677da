import { partsOf } from '../src/report/colours.ts';

/** A piece of a recording: a line on the terminal, and its time. */
export interface RecordedLine {
  /** Seconds from the beginning of the recording. */
  readonly at: number;
  readonly kind: 'command' | 'output';
  /** One line, without its end. */
  readonly text: string;
}

const columns = 96;
const font = { size: 14, width: 8.43, line: 20 } as const;
const margin = 18;
const titleBar = 36;

const style = `
    text { font: ${font.size}px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #d7dce2; white-space: pre }
    .dim { fill: #7d8794 } .prompt { fill: #7bc98a } .command { fill: #fff; font-weight: bold }
    .bad { fill: #ff8f85; font-weight: bold } .warning { fill: #f0c674 } .good { fill: #7bc98a } .strong { fill: #fff; font-weight: bold }
    @media (prefers-reduced-motion: no-preference) {
      .line { animation: appear 1ms backwards }
      @keyframes appear { from { opacity: 0 } }
    }`;

/**
 * Draws a terminal in which the lines appear one after the other. Without motion (a printout, a reader who prefers no
 * motion) all lines are visible, because only the animation hides a line until its time.
 * @param title the text of the title bar, also for screen readers
 */
export function renderTerminal(title: string, moments: readonly RecordedLine[]): string {
  const rows = moments.flatMap(({ at, ...moment }) => draw(moment).map((spans) => ({ at, spans })));
  const width = Math.ceil(columns * font.width + 2 * margin);
  const height = titleBar + rows.length * font.line + 2 * margin - 6;
  const lines = rows.map(({ at, spans }, row) => {
    const y = titleBar + margin + (row + 0.5) * font.line;
    return `  <text class="line" style="animation-delay:${at.toFixed(2)}s" x="${margin}" y="${y}">${spans}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">
  <title>${escape(title)}</title>
  <style>${style}
  </style>
  <rect width="${width}" height="${height}" rx="8" fill="#1b2028"/>
  <path d="M0 ${titleBar} V8 a8 8 0 0 1 8 -8 H${width - 8} a8 8 0 0 1 8 8 V${titleBar} Z" fill="#2a313c"/>
${['#ff6259', '#ffbf2f', '#29ce42'].map((fill, at) => `  <circle cx="${20 + at * 20}" cy="18" r="6" fill="${fill}"/>`).join('\n')}
  <text class="dim" x="${width / 2}" y="23" text-anchor="middle">${escape(title)}</text>
${lines.join('\n')}
</svg>
`;
}

/** The rows that a line takes, each with its colours. */
function draw({ text, kind }: Pick<RecordedLine, 'text' | 'kind'>): string[] {
  // the program prints colours only on a terminal: these are the same ones
  const [time, said] = partsOf(text);
  const rest = kind === 'command' ? text : said.text;
  const [lead, headTone, tone] =
    kind === 'command' ? ['$ ', 'prompt', 'command'] : [time.text, time.tone, said.tone === 'plain' ? '' : said.tone];
  const indent = `${/^ */.exec(rest)?.[0] ?? ''}  `.length + lead.length;
  const [first = '', ...others] = wrap(rest, lead.length, indent);
  return [
    (lead === '' ? '' : span(headTone, lead)) + span(tone, first),
    ...others.map((part) => span(tone, ' '.repeat(indent) + part)),
  ];
}

/** Breaks at blanks. @param lead columns that are taken in the first row; @param indent those in the others */
function wrap(text: string, lead: number, indent: number): string[] {
  const rows: string[] = [];
  let [rest, room] = [text, columns - lead];
  while (rest.length > room) {
    const blank = rest.lastIndexOf(' ', room);
    const end = rest.slice(0, blank).trim() === '' ? room : blank;
    rows.push(rest.slice(0, end));
    [rest, room] = [rest.slice(end).trimStart(), columns - indent];
  }
  return [...rows, rest];
}

function span(tone: string, text: string): string {
  return tone === '' ? escape(text) : `<tspan class="${tone}">${escape(text)}</tspan>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
