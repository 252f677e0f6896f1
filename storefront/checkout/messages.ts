/**
 * The messages to the buyer that the backend cannot write: it gave no response, or does not know how the window ended.
 * Korean, or English for a language that begins with `en`.
 */

const korean = {
  iamport_missing: '결제 모듈을 불러오지 못했습니다. 새로고침한 뒤 다시 시도해 주세요.',
  busy: '다른 주문을 결제하고 있습니다.',
  declined: '결제창이 열리지 않았습니다. 다시 시도해 주세요.',
  window_failed: '결제창을 열지 못했습니다. 다시 시도해 주세요.',
  closed: '결제창을 닫으셨습니다. 청구된 금액은 없으며, 다시 결제하실 수 있습니다.',
  failed: '결제에 실패했습니다. 다시 시도해 주세요.',
  left: '결제창에서 돌아왔습니다. 결제했다면 주문 내역에서 결과를 확인해 주세요.',
  unconfirmed: '결제 결과를 아직 확인하지 못했습니다. 다시 결제하지 말고 잠시 후 확인해 주세요.',
  refused: '결제를 확인할 수 없습니다. 상점에 문의해 주세요.',
};

export type MessageCode = keyof typeof korean;

const english: Readonly<Record<MessageCode, string>> = {
  iamport_missing: 'The payment module did not load. Reload the page and try again.',
  busy: 'Another order is being paid.',
  declined: 'The payment window did not open. Please try again.',
  window_failed: 'The payment window could not be opened. Please try again.',
  closed: 'You closed the payment window. Nothing was charged, and you can pay again.',
  failed: 'The payment failed. Please try again.',
  left: 'You are back from the payment window. If you paid, your orders show the result.',
  unconfirmed: 'The payment is not confirmed yet. Do not pay again; look again in a moment.',
  refused: 'The payment cannot be confirmed. Please contact the shop.',
};

export const isEnglish = (language = ''): boolean => /^en/i.test(language);

export const messageOf = (code: MessageCode, language?: string): string =>
  (isEnglish(language) ? english : korean)[code];
