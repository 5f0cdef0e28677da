type Step = (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer, void, undefined>;

/** A step of a pipeline that lets everything through and shows it to somebody. */
export function tap(look: (chunk: Buffer) => void): Step {
  return async function* (source) {
    for await (const chunk of source) {
      look(chunk);
      yield chunk;
    }
  };
}

/** A step of a pipeline that lets everything through and tells how much it was. */
export function countBytes(onBytes: ((bytes: number) => void) | undefined): Step {
  return tap(({ length }) => onBytes?.(length));
}
