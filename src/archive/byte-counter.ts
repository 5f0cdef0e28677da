type Step = (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer, void, undefined>;

/** A pipeline step that passes everything on and calls a function with each piece. */
export function tap(look: (chunk: Buffer) => void): Step {
  return async function* (source) {
    for await (const chunk of source) {
      look(chunk);
      yield chunk;
    }
  };
}

/** A pipeline step that passes everything on and counts the bytes. */
export function countBytes(onBytes: ((bytes: number) => void) | undefined): Step {
  return tap(({ length }) => onBytes?.(length));
}
