interface Tagged {
  readonly kind: string;
}

/** The members of a union by their `kind`. */
type Members<Union extends Tagged> = { readonly [Member in Union as Member['kind']]: Member };

/** For each kind of a union, the function that describes it. A kind without words does not compile. */
export type Describers<Union extends Tagged, Context, Words> = {
  readonly [Kind in keyof Members<Union>]: (value: Members<Union>[Kind], context: Context) => Words;
};

/**
 * Makes one function of a table.
 * @returns a function that gets `value.kind` and `value`; the compiler checks that the two belong together
 */
export function describerOf<Union extends Tagged, Context, Words>(describers: Describers<Union, Context, Words>) {
  return <Kind extends keyof Members<Union>>(kind: Kind, value: Members<Union>[Kind], context: Context): Words =>
    describers[kind](value, context);
}
