/** A planted bug: a text of `functions/`, and its replacement. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** The file contains it exactly once. */
  readonly find: string;
  readonly replace: string;
}
