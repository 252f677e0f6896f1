/**
 * The invariants of the simulation: S (safety) at every effect, L (liveness) after the faults, except where the text has a deadline.
 * `npm run proof` writes them into docs/proof.md and docs/proof.ko.md.
 */

export interface Invariant {
  readonly id: `${'S' | 'L'}${number}`;
  readonly en: string;
  readonly ko: string;
}

export const invariants: readonly Invariant[] = [
  {
    id: 'S1',
    en: 'a payment settles an order only if it had exactly the amount of the order, in its currency, for this order, and was not a test payment',
    ko: '주문은 바로 그 돈을, 그 주문으로, 그 통화로 받은 결제만 확정한다. 테스트 결제는 아니다',
  },
  {
    id: 'S2',
    en: 'the payment that settled an order never changes, nor do the amount and the currency',
    ko: '주문을 확정한 결제는 바뀌지 않는다. 금액과 통화도 그렇다',
  },
  {
    id: 'S3',
    en: 'an order moves only along the edges of the state diagram, one revision at a time',
    ko: '주문은 상태도의 화살표를 따라, revision을 하나씩 올리며만 움직인다',
  },
  {
    id: 'S4',
    en: 'we never cancel the payment that settled an order, nor revoke the account that an order waits for',
    ko: '주문을 확정한 결제를 우리가 취소하지 않고, 주문이 기다리는 계좌를 말소하지 않는다',
  },
  {
    id: 'S5',
    en: 'every cancel, revocation and refund is recorded as an intent first',
    ko: '의도를 기록하기 전에는 취소도 말소도 환불도 하지 않는다',
  },
  {
    id: 'S6',
    en: 'we cancel no payment of an unknown order, and refund no deposit without an account of the buyer',
    ko: '모르는 주문의 결제는 취소하지 않고, 입금은 구매자의 계좌 없이 환불하지 않는다',
  },
  {
    id: 'S7',
    en: 'the amount that an order keeps never grows, except when a reversed deposit returns',
    ko: '주문에 남은 금액은 취소된 입금이 돌아올 때 말고는 늘지 않는다',
  },
  {
    id: 'S8',
    en: 'a response reports `paid` only after the write',
    ko: '응답은 기록된 뒤에만 `paid`를 반환한다',
  },
  {
    id: 'S9',
    en: 'the events of an item are published in order for the first time, and an id always has the same content',
    ko: '한 항목의 이벤트는 처음에는 순서대로 발행되고, 한 id는 언제나 같은 내용이다',
  },
  { id: 'S10', en: 'only the shop closes an order', ko: '주문은 쇼핑몰만 종료한다' },
  {
    id: 'S11',
    en: 'after a 200, money that Iamport kept before the request is settled, recorded for reversal, or returned',
    ko: '200 응답 뒤에는, 요청 전에 아임포트에 있던 돈이 확정됐거나, 취소하기로 기록됐거나, 이미 환불됐다',
  },
  {
    id: 'S12',
    en: 'the number of writes to an order is bounded by the changes of its payments',
    ko: '주문에 쓰는 횟수는 그 결제들이 바뀐 횟수에 따른 한도를 넘지 않는다',
  },
  {
    id: 'S13',
    en: 'a reversal is done only when the money was returned, or when its payment settles the order after all; then its returned amount is 0',
    ko: '취소는 돈이 돌아갔거나 주문이 결국 그 결제로 확정됐을 때만 완료되고, 뒤의 경우에는 돌아간 금액이 0이다',
  },
  {
    id: 'S14',
    en: 'a refund pays back once, at most the requested amount. It is never sent again once its acceptance was recorded. It is done only by its own cancel, or by a cancel of the same amount in its place',
    ko: '환불은 한 번만, 요청한 금액까지만 돌려주고, 접수가 기록된 뒤에는 다시 보내지 않으며, 그 환불의 취소 내역이나 그 자리를 대신한 같은 금액의 취소가 있을 때만 완료된다',
  },
  {
    id: 'S15',
    en: 'bad input changes nothing, and causes no call',
    ko: '잘못된 입력은 아무것도 바꾸지 않고, 어떤 호출도 일으키지 않는다',
  },
  {
    id: 'S16',
    en: 'we never cancel a good payment of an order that can be paid',
    ko: '결제할 수 있는 주문의 맞는 결제는 취소하지 않는다',
  },
  {
    id: 'S17',
    en: 'an order is written as reversed, or as paid again, only when the deposit was taken back, or returned',
    ko: '입금이 취소됐거나 돌아온 것으로 쓰는 것은 정말 그럴 때뿐이다',
  },
  {
    id: 'S18',
    en: 'a response reports an amount as registered with Iamport only when it is',
    ko: '응답은 금액이 아임포트에 정말 등록됐을 때만 등록됐다고 반환한다',
  },
  {
    id: 'S19',
    en: 'a request that Iamport accepted is not sent again before the PG has performed it. The exception is an acceptance without a record: its response was lost, the function died, or DynamoDB did not respond until the deadline. A refund of a deposit or a phone payment is sent again then only when the shop repeats the request with the same key, and a reversal of a phone payment never',
    ko: '아임포트가 접수한 요청은 PG가 처리하기 전에 다시 보내지 않는다. 응답이 유실됐거나, 함수가 죽었거나, DynamoDB가 마감 시각까지 응답하지 않아 접수를 기록하지 못했을 때만 예외다. 그때도 입금과 휴대폰 결제의 환불은 쇼핑몰이 같은 키로 다시 요청할 때만 보내고, 휴대폰 결제의 자동 취소는 다시 보내지 않는다',
  },
  {
    id: 'S20',
    en: 'a refund is refused for good only if it paid nothing back, and it pays nothing back afterwards',
    ko: '환불은 돈을 돌려주지 않았을 때만 최종 거절되고, 그 뒤에도 돌려주지 않는다',
  },
  {
    id: 'S21',
    en: "we never cancel a payment that began before the registration of its order, and revoke its account only if the order has waited for it. The payment settles the order only if it began at most an hour before. A shop's own table does not record when an order was created, so the rule does not apply there",
    ko: '주문 등록 전에 시작된 결제는 우리가 취소하지 않고, 주문이 기다린 적 없는 가상계좌도 말소하지 않는다. 한 시간 안에 시작된 것만 주문을 확정한다. 쇼핑몰의 테이블에서는 주문이 만들어진 때를 알 수 없어 적용하지 않는다',
  },
  {
    id: 'S22',
    en: 'we never overwrite an amount that another system registered with Iamport',
    ko: '다른 시스템이 아임포트에 등록한 금액을 덮어쓰지 않는다',
  },
  {
    id: 'S23',
    en: 'no order is written `paid` by a payment after Iamport accepted our cancel of it',
    ko: '아임포트가 우리의 취소를 접수한 결제로 주문을 `paid`로 쓰지 않는다',
  },
  {
    id: 'S24',
    en: '`Payment Paid` is published before every event that takes a payment back: `Payment Partially Cancelled`, `Payment Cancelled`, `Deposit Reversed`',
    ko: '결제를 되돌리는 이벤트(`Payment Partially Cancelled`, `Payment Cancelled`, `Deposit Reversed`)보다 `Payment Paid`가 먼저 발행된다',
  },
  {
    id: 'S25',
    en: 'an instance that received a 429 does not call Iamport before `retry-after`, 60 s at most, is over',
    ko: '429를 받은 인스턴스는 `retry-after`(60초까지)가 지나기 전에 아임포트를 호출하지 않는다',
  },
  {
    id: 'S26',
    en: 'the reconciler does not read a recorded payment without an order until its order is registered',
    ko: '주문 없이 기록된 결제는 주문이 등록될 때까지 대사가 조회하지 않는다',
  },
  {
    id: 'S27',
    en: 'a run makes a bounded number of calls for due items and changed payments',
    ko: '한 번의 실행이 하는 호출은 확인할 때가 된 것과 바뀐 것에 비례하는 한도를 넘지 않는다',
  },
  {
    id: 'S28',
    en: 'a webhook is not sent again after an attempt that received a 2xx or a 410, unless the function died or SQS lost a call',
    ko: '2xx나 410을 받은 웹훅은 함수가 죽거나 SQS 호출이 유실되지 않는 한 다시 보내지 않는다',
  },
  {
    id: 'S29',
    en: 'a webhook goes to the dead letters only after a 410, or after three days without success',
    ko: '웹훅은 410을 받았거나 사흘 동안 성공하지 못했을 때만 데드레터로 간다',
  },
  {
    id: 'S30',
    en: 'the attempts of a webhook become rarer: at most 60 until it is delivered or in the dead letters. SQS is never asked to hide it for longer than 12 hours',
    ko: '웹훅을 다시 보내는 간격은 점점 늘어나 모두 60번을 넘지 않고, SQS에 12시간보다 긴 대기를 요청하지 않는다',
  },
  {
    id: 'S31',
    en: "in a shop's own table, a payment made before the deployment neither settles an order nor is cancelled by us",
    ko: '쇼핑몰의 테이블에서 배포 전에 결제된 건은 주문을 확정하지 않고, 우리가 취소하지도 않는다',
  },
  {
    id: 'S32',
    en: 'a refund is sent only for what is left, and the accepted refunds of the payment that the PG has not performed yet are not left',
    ko: '환불은 남은 금액까지만 보낸다. 접수되고 PG가 아직 처리하지 않은 환불은 남은 금액이 아니다',
  },
  {
    id: 'S33',
    en: 'an instance whose settings leave reversals to the operator sends no cancel of a rejected payment, and revokes no account',
    ko: '자동 취소를 운영자에게 맡기는 설정의 인스턴스는 거절된 결제의 취소도 가상계좌 말소도 보내지 않는다',
  },
  {
    id: 'S34',
    en: 'a reversal that the operator has got is not sent any more, also after later deployments, unless it is a revocation that was being sent just then. One that Iamport accepted, by the record, stays recorded as accepted until it is done',
    ko: '운영자에게 넘어간 취소는 나중에 다시 배포해도 보내지 않는다. 바로 그때 보내던 말소만 예외다. 아임포트가 접수했다고 기록된 취소는 끝날 때까지 접수된 것으로 남는다',
  },
  {
    id: 'S35',
    en: 'the reconciler records no payment whose order number does not begin with `orderPrefix` as a payment without an order, and no such order is registered',
    ko: '대사는 주문 번호가 `orderPrefix`로 시작하지 않는 결제를 주문 없는 결제로 기록하지 않고, 그런 주문은 등록되지 않는다',
  },
  {
    id: 'L1',
    en: "money that Iamport keeps for an order settles the order, or is in the operator's list",
    ko: '우리 주문으로 아임포트에 남은 돈은 주문을 확정했거나, 운영자 목록에 있다',
  },
  {
    id: 'L2',
    en: 'a good payment of an order that can be paid settles it',
    ko: '결제할 수 있는 주문의 맞는 결제는 그 주문을 확정한다',
  },
  {
    id: 'L3',
    en: 'an order and the payment that settled it agree to the won',
    ko: '주문과 그 주문을 확정한 결제는 1원까지 같다',
  },
  {
    id: 'L4',
    en: 'no reversal and no refund is unfinished, except a refund that waits for the shop or an operator. None waits for money that was returned, or for an account that has expired',
    ko: '쇼핑몰이나 운영자를 기다리는 환불 말고는 끝나지 않은 취소와 환불이 없고, 돈이 돌아갔거나 기한이 끝난 계좌를 기다리지 않는다',
  },
  {
    id: 'L5',
    en: 'every step of every order is published, and every reversal and refund',
    ko: '모든 주문의 모든 단계와 모든 취소와 환불이 발행됐다',
  },
  { id: 'L6', en: 'no order waits for a revoked account', ko: '말소된 계좌를 기다리는 주문이 없다' },
  {
    id: 'L7',
    en: 'the checkpoint of the scan is as late as the last finished run',
    ko: '스캔의 체크포인트는 끝까지 간 마지막 실행만큼 앞서 있다',
  },
  {
    id: 'L8',
    en: "the amounts agree to the won, payment by payment: Iamport keeps what an order keeps, what the operator's list has, or what has no order",
    ko: '금액은 결제마다 1원까지 맞는다. 아임포트에 남은 돈은 주문에 남았거나, 운영자 목록에 있거나, 주문이 없다',
  },
  { id: 'L9', en: 'money without an order is recorded', ko: '주문 없는 돈은 기록돼 있다' },
  { id: 'L10', en: 'every scenario ends', ko: '모든 시나리오는 끝이 난다' },
  {
    id: 'L11',
    en: 'without faults every request gets a final response',
    ko: '고장이 없을 때는 모든 요청이 최종 응답을 받는다',
  },
  {
    id: 'L12',
    en: 'a due item is checked within an hour of runs that reach Iamport, regardless of other due or unreadable items',
    ko: '확인할 때가 된 것은 다른 항목이 얼마나 밀렸든 읽을 수 없든, 아임포트에 닿은 실행이 이어지면 한 시간 안에 확인한다',
  },
  {
    id: 'L13',
    en: 'a deposit that the bank takes back within three days is detected at the next planned check: 10 minutes, 1 hour, 6 hours, 1 day or 3 days after the payment',
    ko: '은행이 사흘 안에 되돌린 입금은 다음으로 예정된 확인(결제 후 10분, 1시간, 6시간, 1일, 3일)에서 알게 된다',
  },
  {
    id: 'L14',
    en: 'attributes that the shop removes by writing its item whole are restored once the publisher has processed that record',
    ko: '쇼핑몰이 항목을 통째로 다시 써서 지운 속성은 발행기가 그 레코드를 처리하면 복원된다',
  },
  {
    id: 'L15',
    en: '`Refund Refused` is published for every refused refund, and `Refund No Longer Required` where `Refund Required` was published and no money has to be returned any more',
    ko: '거절된 환불마다 `Refund Refused`가, `Refund Required`가 나간 뒤 돌려줄 것이 없어지면 `Refund No Longer Required`가 발행된다',
  },
  { id: 'L16', en: 'a refund that paid back is done', ko: '돈을 돌려준 환불은 완료 상태다' },
  {
    id: 'L17',
    en: "the operator's list has no more than Iamport keeps: nothing, once the bank has taken the deposit back",
    ko: '운영자 목록의 금액은 실제로 있는 돈을 넘지 않는다. 은행이 입금을 되돌리면 0이다',
  },
  {
    id: 'L18',
    en: 'without faults every run of the reconciler ends normally',
    ko: '고장이 없을 때 대사의 모든 실행은 끝까지 간다',
  },
  {
    id: 'L19',
    en: 'no order is still `ready` after it has expired',
    ko: '결제 기한이 지난 주문은 `ready`로 남지 않는다',
  },
  {
    id: 'L20',
    en: 'no order waits for an account after it has expired, and the account of an expired order is recorded for revocation',
    ko: '결제 기한이 지난 주문은 가상계좌를 기다리지 않고, 그 계좌는 말소하기로 기록된다',
  },
  {
    id: 'L21',
    en: "every published event reaches each URL of the shop, or is in that URL's dead letters, and leaves the queue within four days",
    ko: '발행된 이벤트는 쇼핑몰의 모든 URL에 닿았거나 그 URL의 데드레터에 있고, 나흘 안에 큐에서 사라진다',
  },
  {
    id: 'L22',
    en: 'a URL that answers receives every event within an hour, whatever another URL does',
    ko: '정상으로 응답하는 URL은 다른 URL의 상태와 관계없이 모든 이벤트를 한 시간 안에 받는다',
  },
  {
    id: 'L23',
    en: "a payment that settles its order is not in the operator's list as a payment without an order, once its check is over",
    ko: '주문을 확정한 결제는 예정된 확인이 끝나면 주문 없는 결제로 운영자 목록에 남지 않는다',
  },
];
