/** The settings of a deployment that a later one may change. Without the code under test. */

export interface Settings {
  readonly acceptTestPayments: boolean;
  readonly reversals: 'automatic' | 'manual';
  /** The start of every order number of the shop. Empty: every payment of the Iamport account may be the shop's. */
  readonly orderPrefix: string;
}

/** Of an instance that depends on no setting. */
export const usualSettings: Settings = { acceptTestPayments: false, reversals: 'automatic', orderPrefix: '' };

/** One deployment. */
export interface Release {
  /** 0 for the one that the scenario begins with. */
  readonly number: number;
  readonly settings: Settings;
}

/** The operator reverses a rejected payment: the shop switched reversals off, or a test deployment meets a real payment. */
export const leavesToOperator = ({ reversals, acceptTestPayments }: Settings, isTest: boolean): boolean =>
  reversals === 'manual' || (acceptTestPayments && !isTest);

/** Another shop or system on the same Iamport account uses the order number. */
export const isForeign = ({ orderPrefix }: Settings, merchantUid: string): boolean =>
  !merchantUid.startsWith(orderPrefix);
