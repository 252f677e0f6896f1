/** The environment variables of the functions that come from the settings. */
export interface Environment {
  IAMPORT_API_URL: string;
  TEST_PAYMENTS: string;
  REVERSALS: string;
  WEBHOOK_SENDERS: string;
  ORDER_PREFIX: string;
  TIERS: string;
  RESULT_TARGETS: string;
  SHOP_NAME: string;
  RESULT_PAGE: string;
}
