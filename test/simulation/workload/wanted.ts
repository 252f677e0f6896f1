/** An order as the shop registers it. Amounts in major units. */
export interface Wanted {
  readonly merchantUid: string;
  /** The shop may change it in its own table. */
  amount: number;
  readonly currency: 'KRW' | 'USD';
}
