/** A broken invariant. It must pass through every `catch` of the code under test. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  /** @param invariant its name, such as `S1` */
  constructor(invariant: string, message: string) {
    super(message);
    this.invariant = invariant;
  }
}
