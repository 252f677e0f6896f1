/** A schedule in which something was wrong. Passes through everything, the code under test above all. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  /** @param invariant its name, such as `S1` */
  constructor(invariant: string, message: string) {
    super(message);
    this.invariant = invariant;
  }
}
