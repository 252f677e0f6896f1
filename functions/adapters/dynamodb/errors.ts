/** What can go wrong with the store. */

/** DynamoDB or Secrets Manager could not be asked, or did not answer: nothing is known, so ask again later. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** An item that we cannot read: written by a newer version, or by hand. Nothing is guessed from it. */
export class StoreUnexpected extends Error {
  override readonly name = 'StoreUnexpected';
}

/** DynamoDB refuses to read or write this one item, such as one that would be larger than 400 KB. Other items are not affected. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** The order changed under us each time: nothing is wrong, and asking again will do. */
export class OrderBusy extends Error {
  override readonly name = 'OrderBusy';
}
