/** The responses of the deployed routes and of the reconciler as text for the operator. With --json they are printed as they are. */

import type { ReconcileReport } from '../functions/application/reconcile/report.ts';
import type { ProblemCode } from '../functions/http/problem.ts';
import type { OrderStatus } from '../functions/payment/order.ts';
import type { ReversalReason, ReversalState } from '../functions/payment/reversal.ts';
import type { Language, Localized } from '../functions/shared/language.ts';
import { reasonLabels, stateLabels, statusLabels } from './messages.ts';
import { timeOf } from './why.ts';

/** A part of the response of `POST /payments/complete`. */
interface OutcomeResponse {
  readonly status: OrderStatus | 'rejected';
  readonly merchant_uid: string;
  readonly imp_uid: string;
  readonly reason?: string;
  readonly reversal?: { readonly state: ReversalState };
}

export function outcomeText(body: OutcomeResponse, language: Language): string {
  const { status, merchant_uid, imp_uid, reason, reversal } = body;
  const money = reversal && { ko: '자동 취소', en: 'reversal' }[language];
  const state = reversal ? `. ${money}: ${stateLabels[reversal.state][language]}` : '';
  if (status !== 'rejected')
    return `${{ ko: '주문', en: 'Order' }[language]} ${merchant_uid}: ${statusLabels[status][language]}${state}\n`;
  const label = reasonLabels[reason as ReversalReason]?.[language] ?? reason;
  return `${imp_uid}: ${{ ko: '거절', en: 'rejected' }[language]}, ${label}${state}\n`;
}

/** A part of the response of `POST /orders/{merchant_uid}/refunds`. */
interface RefundResponse {
  readonly refund: {
    readonly imp_uid: string;
    readonly amount: number;
    readonly currency: string;
    readonly key: string;
  };
  readonly order: { readonly merchant_uid: string; readonly amount: number; readonly cancelled_amount?: number };
}

/** @param isDone false when the refund is on its way: the same request with the same key shows its end */
export function refundText({ refund, order }: RefundResponse, isDone: boolean, language: Language): string {
  const money = (amount: number) => `${amount.toLocaleString(language)} ${refund.currency}`;
  const of = `${order.merchant_uid} (${refund.imp_uid})`;
  if (!isDone)
    return {
      ko: `${of}: ${money(refund.amount)} 환불이 진행 중입니다. 같은 명령을 --key ${refund.key}로 다시 실행하면 결과를 볼 수 있습니다\n`,
      en: `${of}: the refund of ${money(refund.amount)} is in progress. Repeat the command with --key ${refund.key} to see its result\n`,
    }[language];
  const left = money(order.amount - (order.cancelled_amount ?? 0));
  return {
    ko: `${of}: ${money(refund.amount)}을 환불했습니다. 남은 금액은 ${left}입니다\n`,
    en: `${of}: refunded ${money(refund.amount)}, and ${left} of the payment is left\n`,
  }[language];
}

type Counted = Exclude<keyof ReconcileReport, 'faults' | 'finished' | 'scannedUntil'>;

const reportLabels: Readonly<Record<Counted, Localized>> = {
  payments: { ko: '비교한 결제', en: 'payments compared' },
  matched: { ko: '우리 주문의 결제', en: 'payments of our orders' },
  settled: { ko: '처리한 결제', en: 'payments settled' },
  orphans: { ko: '새로 발견한 주문 없는 결제', en: 'new payments without an order' },
  unreadable: { ko: '형식을 알 수 없는 결제', en: 'payments of an unknown form' },
  skipped: { ko: '읽을 수 없어 건너뜀', en: 'skipped as unreadable' },
  due: { ko: '확인 시각이 된 건', en: 'due items checked' },
  overdue: { ko: '지연된 환불', en: 'overdue refunds' },
  oldestDueSeconds: { ko: '가장 오래 밀린 건(초)', en: 'oldest due item, seconds' },
  faultCount: { ko: '오류', en: 'faults' },
};

/** @param report of a deployment, which may be of another version: its unknown fields are left out */
export function reportText(report: ReconcileReport, language: Language): string {
  const counts = Object.entries(reportLabels).map(
    ([name, label]) => [label[language], report[name as Counted]] as const,
  );
  const until = report.scannedUntil > 0 ? timeOf(report.scannedUntil) : '–';
  const lines = [
    ...counts.map(([label, count]) => `${String(count).padStart(7)}  ${label}`),
    { ko: `결제 목록을 읽은 시각: ${until}`, en: `Payment lists scanned until ${until}` }[language],
    ...report.faults.map((fault) => `  ✗ ${fault}`),
    ...(report.finished
      ? []
      : [
          {
            ko: '시간이 부족했거나 아임포트에 연결할 수 없어 끝나지 않았습니다. 다음 실행이 이어서 합니다',
            en: 'Not finished, for lack of time or since Iamport could not be reached: the next run continues',
          }[language],
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** The operator's action for each problem, in Korean: the `detail` of a response is English only. */
export const remediesInKorean: Readonly<Record<ProblemCode, string>> = {
  invalid_request: '인자를 확인하세요',
  route_not_found: '이 버전의 명령으로 다시 배포하세요',
  unauthorised: '키가 유효하지 않습니다. keys로 확인하세요',
  forbidden: '이 키로는 할 수 없는 요청입니다',
  sender_refused: '아임포트가 보낸 요청이 아닙니다',
  payment_not_found: '아임포트에 없는 결제입니다. imp_uid를 확인하세요',
  order_not_found: '등록되지 않은 주문입니다. merchant_uid를 확인하세요',
  order_mismatch: '다른 주문의 결제입니다',
  order_exists: '조건이 다른 주문이 이미 있습니다. 새 merchant_uid를 쓰세요',
  order_paid: '이미 결제된 주문이라 종료할 수 없습니다. 환불하려면 refund를 쓰세요',
  not_paid: '이 주문에는 환불할 금액이 없습니다',
  refund_exceeds: '남은 금액 이하로 요청하세요. 전액이면 --amount를 빼세요',
  refund_key_used: '이 --key는 다른 금액에 이미 쓰였습니다. 새 환불이면 다른 키를 쓰세요',
  refund_refused: 'PG사가 거절했습니다. 포트원 콘솔에서 사유를 확인하세요. 5분 뒤 한 번 더 조회합니다',
  payload_too_large: '본문이 너무 큽니다',
  unsupported_media_type: '본문의 형식이 맞지 않습니다',
  account_missing:
    '가상계좌 입금은 구매자의 계좌가 있어야 환불할 수 있습니다. --account 예금주,은행코드,계좌번호를 추가하세요',
  internal_error: '함수의 로그를 확인하세요',
  iamport_error: '아임포트가 요청을 거부했습니다. 시크릿의 키를 확인하고 함수의 로그를 보세요',
  iamport_unavailable: '아임포트에 연결할 수 없습니다. 잠시 후 같은 명령을 다시 실행하세요',
  store_unavailable: '테이블을 읽거나 쓸 수 없습니다. 잠시 후 다시 실행하세요',
  not_settled: '지금은 처리할 수 없습니다. 1분 뒤 다시 실행하세요',
  order_busy: '여러 요청이 이 주문을 동시에 처리하고 있습니다. 잠시 후 다시 실행하세요',
};
