/** What the built-in result page shows in each state: amounts, reasons, the next action and the next check. */

import { describe, expect, test } from 'vitest';
import { problemMessage } from '../../functions/http/messages.ts';
import { Problem } from '../../functions/http/problem.ts';
import { resultPage } from '../../functions/http/result-page.ts';
import type { Result } from '../../functions/http/result-view.ts';
import type { Amount } from '../../functions/payment/money.ts';
import type { Outcome } from '../../functions/payment/outcome.ts';
import type { Language } from '../../functions/shared/language.ts';
import { branding, pageOf, type State, states } from '../support/result-pages.ts';

const ids = { imp_uid: 'imp_347242536261', merchant_uid: 'ORD20261123-0001' };
const checkout = 'https://shop.example/checkout?merchant_uid=ORD20261123-0001';

/** The visible parts of a page: heading, rows, paragraphs and links. */
function shown(text: string) {
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, ...found]) => found.join(': '));
  return {
    heading: all(/<h1>(.*?)<\/h1>/g)[0],
    rows: all(/<dt>(.*?)<\/dt><dd><span>(.*?)<\/span>/g),
    paragraphs: all(/<p(?: role="status")?>([^<]+)<\/p>/g),
    links: all(/<a href="([^"]*)"/g),
    next: all(/data-goes="([^"]*)" data-after="(\d+)"/g)[0]?.replaceAll('&amp;', '&'),
    tone: all(/<main class="(\w+)/g)[0],
  };
}
const shownIn = (state: State, language: Language = 'ko') => shown(pageOf(state, language).text);
const shownFor = (result: Result, query: object = ids, windowMessage = '') =>
  shown(
    resultPage({
      ...{ result, query, shopName: '', branding, language: 'ko', windowMessage },
      iamportOrigin: 'https://api.iamport.kr',
    }).text,
  );
const ready: Outcome = {
  status: 'ready',
  impUid: ids.imp_uid,
  merchantUid: ids.merchant_uid,
  amount: 14_000 as Amount,
  currency: 'KRW',
};

describe('amounts', () => {
  test('shows what was paid, cancelled and is left after a part cancel', () => {
    const order = '주문번호: ORD20261123-0001';
    expect(shownIn('partly-cancelled').rows).toEqual([
      order,
      '결제 금액: ₩14,000',
      '취소 금액: ₩1,000',
      '남은 금액: ₩13,000',
    ]);
    expect(shownIn('partly-cancelled', 'en').rows.slice(1)).toEqual([
      'Paid: ₩14,000',
      'Cancelled: ₩1,000',
      'Left: ₩13,000',
    ]);
    expect(shownIn('cancelled').rows).toEqual([order, '금액: ₩14,000']);
  });

  test('shows minor units of the currency, and no amount without both ids', () => {
    const outcome: Outcome = {
      ...{ ...ready, status: 'partial_cancelled', currency: 'USD' },
      ...{ amount: 1_050 as Amount, cancelledAmount: 25 as Amount },
    };
    expect(shownFor({ outcome }).rows.slice(1)).toEqual(['결제 금액: $10.50', '취소 금액: $0.25', '남은 금액: $10.25']);
    expect(shownFor({ outcome }, { merchant_uid: ids.merchant_uid }).rows).toEqual([]);
  });
});

test.each(['invalid_request', 'route_not_found', 'payment_not_found', 'order_not_found', 'order_mismatch'] as const)(
  'asks the buyer to contact the shop after %s',
  (code) => {
    const problem = new Problem(code, 'What the developer does.');
    expect(shownFor({ problem }).heading).toMatch(/상점에 문의해 주세요\.$/);
    expect(problemMessage(code, 'en')).toMatch(/Please contact the shop\.$/);
    expect(shownFor({ problem }).links[0]).toBe(branding.support);
  },
);

describe('the colour of the shop', () => {
  const styleFor = (color: string) => pageOf('paid', 'ko', { color }).text;

  test.each([
    ['#ffd400', '--shop:#ffd400;--on-shop:#000}'],
    ['#fd0', '--shop:#fd0;--on-shop:#000}'],
    ['#0B6E4F', '--shop:#0B6E4F;--on-shop:#fff}'],
    ['#064', '--shop:#064;--on-shop:#fff}'],
  ])('%s is used, with the text that is easier to read', (color, style) => {
    expect(styleFor(color)).toContain(style);
  });

  test.each(['red', '#12', '#12345', '#fff}body{display:none', '</style><script>alert(1)</script>', '#fff\n'])(
    'the page ignores %j',
    (color) => {
      expect(styleFor(color)).toContain('--shop:#1f5eff;--on-shop:#fff}');
      expect(styleFor(color)).not.toContain(`--shop:${color}`);
    },
  );
});

test.each([
  ['https://iniweb.inicis.com/receipt', 'https://api.iamport.kr', true],
  ['http://127.0.0.1:3001/receipt/imp_1', 'http://127.0.0.1:3001', true],
  ['http://127.0.0.1:3001/receipt/imp_1', 'https://api.iamport.kr', false],
  ['http://api.iamport.kr/receipt', 'https://api.iamport.kr', false],
  ['http://127.0.0.1:30010/receipt', 'http://127.0.0.1:3001', false],
  ['javascript:alert(1)', 'https://api.iamport.kr', false],
])('a receipt at %s, with the API at %s, is linked: %s [T481]', (receiptUrl, iamportOrigin, isLinked) => {
  const outcome: Outcome = { ...ready, status: 'paid', receiptUrl };
  const input = { result: { outcome }, query: ids, shopName: '', branding, language: 'ko', iamportOrigin } as const;
  const { text } = resultPage(input);
  expect(shown(text).links.includes(receiptUrl)).toBe(isLinked);
});

describe('the end of the window', () => {
  test('shows a closed window as closed by the buyer without a charge, with a link to pay again', () => {
    const page = shownIn('closed');
    expect(page).toMatchObject({
      heading: '결제창을 닫으셨습니다. 청구된 금액은 없으며, 다시 결제하실 수 있습니다.',
      tone: 'back',
    });
    expect(page.links[0]).toBe(checkout);
    expect(page.paragraphs).toEqual(['결제창 안내: “사용자가 결제를 취소하셨습니다.”']);
    expect(shownIn('closed', 'en').heading).toBe(
      'You closed the payment window. Nothing was charged, and you can pay again.',
    );
    expect(shownIn('ready')).toMatchObject({ heading: '아직 결제되지 않았습니다.', tone: 'wait' });
  });

  test("shows another message of the window as a failure, not as the buyer's cancel", () => {
    const page = shownFor({ outcome: ready }, ids, '[PG] 시스템 점검 중입니다.');
    expect(page).toMatchObject({ heading: '결제에 실패했습니다. 다시 시도해 주세요.', tone: 'bad' });
    expect(page.paragraphs).toEqual(['결제창 안내: “[PG] 시스템 점검 중입니다.”']);
  });

  test('shows a payment that Iamport refused to open with its order, the reason and a link to pay', () => {
    const page = shownIn('unopened');
    expect(page).toMatchObject({ heading: '결제창이 열리지 않았습니다. 다시 시도해 주세요.', tone: 'bad' });
    expect(page.rows).toEqual(['주문번호: ORD20261123-0001']);
    expect(page.paragraphs[0]).toContain('사전에 등록된 결제금액과 다른 금액으로는');
    expect(page.links[0]).toBe(checkout);
    // An earlier attempt of the order makes no difference.
    const { imp_uid: _none, ...order } = ids;
    expect(shownFor({ outcome: ready }, order, '금액이 다릅니다').heading).toBe(page.heading);
    expect(shownFor({ outcome: ready }, order, '금액이 다릅니다').rows).toEqual(page.rows);
  });

  test('an unpaid payment without an order number in the request has no rows', () => {
    expect(shownFor({ outcome: ready }, { imp_uid: ids.imp_uid }).rows).toEqual([]);
  });

  test('shows the reason of a failure once when the window has the same message', () => {
    const page = shownIn('failed');
    expect(page.rows.at(-1)).toBe('사유: 사용자가 결제를 취소하셨습니다');
    expect(page.paragraphs).toEqual([]);
    // Without both ids the reason of the PG is not shown, so the window's message is.
    const order = { merchant_uid: ids.merchant_uid };
    expect(shownFor(states.failed, order, '사용자가 결제를 취소하셨습니다').paragraphs).toHaveLength(1);
    expect(shownFor(states.failed, ids, '한도 초과').paragraphs).toEqual(['결제창 안내: “한도 초과”']);
  });
});

describe('a payment that is being cancelled', () => {
  test.each([
    [undefined, 2],
    ['1', 4],
    ['2', 8],
    ['3', 15],
    ['4', 30],
  ])('is checked again after %s checks in %i s', (again, seconds) => {
    const { next, paragraphs, links } = shownFor(states.refunding, { ...ids, again });
    const query = new URLSearchParams({ ...ids, again: String(Number(again ?? 0) + 1) });
    expect(next).toBe(`?${query}: ${seconds}`);
    expect(paragraphs).toEqual(['결제 결과를 다시 확인하고 있습니다…']);
    // The payment is rejected for good: the buyer may go on.
    expect(links).toEqual(['tel:02-000-0000', 'https://shop.example/orders', 'https://shop.example/']);
  });

  test('is checked only on a click after the last check, and not at all when it is done', () => {
    const late = shownIn('still-refunding');
    expect(late.next).toBeUndefined();
    expect(late.paragraphs).toEqual(['취소에 시간이 걸리고 있습니다. 나중에 다시 확인해 주세요.']);
    expect(late.links.slice(0, 2)).toEqual([
      '?imp_uid=imp_347242536261&amp;merchant_uid=ORD20261123-0001',
      'tel:02-000-0000',
    ]);
    const done = shownIn('refunded');
    expect(done.next).toBeUndefined();
    expect(done.links[0]).toBe('tel:02-000-0000');
  });

  test.each(['-1', '1.5', 'x', '1e9'])('is not checked again for the forged count %s', (again) => {
    expect(shownFor(states.refunding, { ...ids, again }).next).toBeUndefined();
  });
});
