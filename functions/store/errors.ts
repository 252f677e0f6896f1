/** What can go wrong with the store. */

/** DynamoDB or Secrets Manager could not be asked, or did not answer: nothing is known, so ask again later. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** An item that we cannot read: written by a newer version, or by hand. Nothing is guessed from it. */
export class StoreUnexpected extends Error {
  override readonly name = 'StoreUnexpected';
}

/** The order changed under us each time: nothing is wrong, and asking again will do. */
export class OrderBusy extends Error {
  override readonly name = 'OrderBusy';
}
