/** The meaning of each configuration key in both languages. The table in docs/configuration.md is generated from it and the schema. */
import type { ConfigurationKey } from './config.ts';

interface Description {
  /** The allowed values, where the schema does not list them. */
  allowed?: string;
  meaning: string;
}

/** A key without a description does not compile, nor a description without a key. */
export const CONFIGURATION_DESCRIPTIONS: Record<'en' | 'ko', Record<ConfigurationKey, Description>> = {
  en: {
    'storefront.origins': {
      allowed: '1 to 50 exact `https://` origins',
      meaning: 'the pages that may call the API from a browser (CORS)',
    },
    results: {
      allowed:
        'names to `https://` URLs, or to app links with their own scheme (`shopapp://result`, or the scheme alone), 2,048 bytes in all',
      meaning:
        'redirect targets of a phone after the payment: `web` by default, others by `?to=<name>`; without a matching one, the built-in page',
    },
    shopName: { allowed: 'up to 60 characters', meaning: 'the name on the built-in page' },
    resultPage: {
      allowed:
        '`logo` (`https://` picture), `color` (`#rgb` or `#rrggbb`), `shop`, `orders`, `checkout` (`https://`), `support` (`https://`, `tel:` or `mailto:`), 1,024 bytes in all',
      meaning:
        'branding of the built-in page, and the links of its buttons; `merchant_uid` is added to `checkout`, and `shop` is by default the first origin',
    },
    shopAuth: {
      meaning:
        'how the server of the shop proves itself: `key` by a header with a key that the stack generates, `iam` by AWS Signature Version 4, for callers inside AWS that want no secret',
    },
    testPayments: {
      meaning:
        '`accept` treats payments of a test channel, in which no money moves, as real payments: for a test deployment only',
    },
    reversals: { meaning: '`manual` records payments that must be reversed, and the operator reverses them by hand' },
    webhookSenders: {
      meaning: "`iamport-only` refuses senders outside PortOne's three published addresses, which have changed before",
    },
    webhooks: {
      allowed:
        'up to 10 of `{"url": "https://…", "events": ["Payment Paid", …]}`; the names of events are those of [events](events.md), all by default',
      meaning: "URLs of the shop's server that receive events as signed webhooks: [webhooks](webhooks.md)",
    },
    confirm: {
      allowed: '`{"url": "https://…", "otherwise": "approve" or "refuse"}`; `otherwise` is `approve` by default',
      meaning:
        'the URL that is asked before Iamport approves a payment, and the decision when it does not answer within 3 seconds: [confirmation](webhooks.md#confirmation-before-an-approval)',
    },
    orderPrefix: {
      allowed: 'at most 30 of `A-Z a-z 0-9 - . _ ~`',
      meaning:
        'the prefix of every order number of this shop. Set it when other shops or systems use the same Iamport account: their payments are then neither recorded nor published. Set it before the first order. The scans skip orders that were registered without it, and a payment of theirs whose notifications are lost is not settled (`[T507]`)',
    },
    tiers: {
      allowed: 'up to 50 codes of sub-merchants, each of 1 to 40 of `A-Z a-z 0-9 - _`',
      meaning:
        "for an Agency account: the sub-merchants whose payment lists the reconciler scans, beside the account's own list",
    },
    iamportApiUrl: { allowed: 'an `https://` origin', meaning: 'the API that the functions call' },
    throttles: {
      allowed: 'routes to `{"perSecond": 1 to 10000, "burst": 1 to 5000}`',
      meaning:
        'limits of a route, in place of 50 calls a second and 100 at once (the webhook: 100 and 200; `confirm`: 500 and 1000); API Gateway answers further calls 429',
    },
    provisionedConcurrency: {
      allowed: '0 to 100',
      meaning: 'provisioned instances for each of `complete` and `mobile-redirect` (billed while idle)',
    },
    keepWarm: { meaning: 'invokes each HTTP function every five minutes, so that Lambda keeps one instance of it' },
    reservedConcurrency: {
      allowed: 'names of functions to 1 to 10000',
      meaning:
        'executions that Lambda keeps for a function alone, and its limit: `{"reconcile": 1, "publish": 5}` lets both run when the others use up the quota, and a number for `webhook` bounds it. Lambda must have 100 unreserved ones left, so an account with the quota of 10 cannot reserve any ([cost.md](cost.md#executions-at-once))',
    },
    canary: {
      meaning:
        'sends a tenth of the calls to a new version for five minutes before the rest, and goes back when it fails: [upgrade.md](upgrade.md#roll-back-a-deployment). A deployment takes so much longer, and the stack has seven alarms more',
    },
    alarmEmails: {
      allowed: 'up to 10 e-mail addresses',
      meaning: 'recipients of alarms; AWS mails each address a link to confirm the subscription',
    },
    alarmTopicArn: {
      allowed: 'the ARN of an SNS topic, or empty',
      meaning:
        'a topic of yours that receives the alarms in place of ours, such as one of Amazon Q for Slack ([watching.md](watching.md)); its policy must let `cloudwatch.amazonaws.com` publish',
    },
    dashboard: { meaning: '`false` leaves out the dashboard in CloudWatch; the alarms stay' },
    budget: {
      allowed: '0 to 1000000 USD a month',
      meaning:
        'a budget of the whole AWS account: AWS mails `alarmEmails` when a month has cost more, and when it expects that. 0 makes none. It stops nothing',
    },
    logRetentionDays: {
      allowed: 'a retention period of CloudWatch Logs in days: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, … 3653',
      meaning: 'how long logs are kept',
    },
    archiveDays: {
      allowed: '0 to 3653',
      meaning:
        'how long EventBridge archives the events, for a [replay](runbook.md#subscriber-missed); 0 makes no archive. An event has about 1 KB, and AWS charges for each GB taken in and stored: less than a cent a month for 1,000 payments. None is made for an `eventBus` of yours',
    },
    removal: {
      meaning:
        '`destroy` deletes tables, secret and logs with the stack, and turns off deletion protection of the tables: for a test deployment only',
    },
    tags: { allowed: 'up to 40 names to values', meaning: 'put on every resource that can have tags' },
    name: {
      allowed: 'a letter, then at most 63 letters, digits and `-`',
      meaning:
        'the name of the stack. Deployments with other names share nothing, in one account and region too. A changed name creates a second deployment',
    },
    domain: {
      allowed:
        '`{"name": "pay.my-shop.kr", "certificateArn": "arn:aws:acm:…", "hostedZoneId": "Z…", "only": false}`; the last two can be left out',
      meaning:
        "a domain of the shop's own for the API, with a certificate of the same region. With `hostedZoneId` the stack adds the records; without it, point a CNAME at the output `DomainTarget`. `only` turns API Gateway's own address off",
    },
  },
  ko: {
    'storefront.origins': {
      allowed: '경로 없는 `https://` origin 1~50개',
      meaning: '브라우저에서 API를 호출할 수 있는 페이지(CORS)',
    },
    results: {
      allowed: '이름 → `https://` URL 또는 앱 스킴 링크(`shopapp://result` 또는 스킴만), 모두 합해 2,048바이트',
      meaning: '모바일 결제 후 이동할 곳. 기본은 `web`, 나머지는 `?to=<이름>`. 맞는 것이 없으면 내장 페이지',
    },
    shopName: { allowed: '60자 이하', meaning: '내장 페이지에 표시할 이름' },
    resultPage: {
      allowed:
        '`logo`(`https://` 이미지), `color`(`#rgb`나 `#rrggbb`), `shop`, `orders`, `checkout`(`https://`), `support`(`https://`, `tel:`, `mailto:`), 모두 합해 1,024바이트',
      meaning:
        '내장 페이지에 표시할 쇼핑몰 로고와 색, 버튼을 누르면 이동할 주소. `checkout`에는 `merchant_uid`가 붙고, `shop`은 정하지 않으면 첫 번째 origin입니다',
    },
    shopAuth: {
      meaning:
        '쇼핑몰 서버의 요청을 인증하는 방법. `key`는 스택이 만든 키를 헤더로 받고, `iam`은 비밀 키 없이 AWS 안에서 호출할 때 쓰는 AWS Signature Version 4 서명을 받습니다',
    },
    testPayments: {
      meaning: '`accept`는 돈이 오가지 않는 테스트 채널 결제를 실제 결제로 취급합니다. 테스트 배포에서만 쓰세요',
    },
    reversals: { meaning: '`manual`은 돌려줘야 할 결제를 기록만 하고, 취소는 운영자에게 맡깁니다' },
    webhookSenders: {
      meaning: '`iamport-only`는 포트원이 공개한 세 IP 이외의 발신자를 거부합니다. 이 IP는 바뀐 적이 있습니다',
    },
    webhooks: {
      allowed:
        '`{"url": "https://…", "events": ["Payment Paid", …]}` 10개 이하. 이벤트 이름은 [이벤트](events.ko.md)에 있으며, 생략하면 모든 이벤트',
      meaning: '서명한 웹훅으로 이벤트를 받을 쇼핑몰 서버의 URL: [웹훅](webhooks.ko.md)',
    },
    confirm: {
      allowed: '`{"url": "https://…", "otherwise": "approve" 또는 "refuse"}`. `otherwise`의 기본은 `approve`',
      meaning:
        '아임포트가 결제를 승인하기 전에 물어볼 쇼핑몰 서버의 URL과, 3초 안에 응답이 없을 때의 처리: [승인 전 확인](webhooks.ko.md#승인-전-확인)',
    },
    orderPrefix: {
      allowed: '`A-Z a-z 0-9 - . _ ~` 30자 이하',
      meaning:
        '이 쇼핑몰의 모든 주문번호 앞에 붙는 글자. 같은 아임포트 계정을 다른 쇼핑몰이나 시스템과 함께 쓸 때 정하세요. 다른 쪽의 결제는 기록하지 않고 이벤트도 발행하지 않습니다. 첫 주문을 받기 전에 정하세요. 접두어 없이 등록한 주문은 스캔에서 빠지므로, 알림이 유실된 결제가 반영되지 않습니다(`[T507]`)',
    },
    tiers: {
      allowed: '하위 상점 코드 50개 이하, 코드마다 `A-Z a-z 0-9 - _` 1~40자',
      meaning: 'Agency 계정에서 씁니다. 대사가 계정 자체의 결제 목록과 함께 스캔할 하위 상점',
    },
    iamportApiUrl: { allowed: '`https://` origin', meaning: '조회할 API 주소' },
    throttles: {
      allowed: '경로 → `{"perSecond": 1~10000, "burst": 1~5000}`',
      meaning:
        '경로의 호출 한도. 기본은 초당 50건, 한꺼번에 100건(웹훅은 100건과 200건, `confirm`은 500건과 1000건)입니다. 넘는 호출에는 API Gateway가 429로 응답합니다',
    },
    provisionedConcurrency: {
      allowed: '0~100',
      meaning:
        '`complete`와 `mobile-redirect`마다 미리 띄워 둘 인스턴스 수(provisioned concurrency). 호출이 없어도 요금이 나옵니다',
    },
    keepWarm: { meaning: 'HTTP 함수를 5분마다 호출해 Lambda가 인스턴스를 하나씩 유지하게 합니다' },
    reservedConcurrency: {
      allowed: '함수 이름 → 1~10000',
      meaning:
        '그 함수만 쓰도록 남겨 두는 동시 실행 수이자 상한. `{"reconcile": 1, "publish": 5}`이면 다른 함수가 한도를 다 써도 둘은 실행되고, `webhook`에 수를 주면 그 이상 실행되지 않습니다. 예약하지 않은 동시 실행이 100 이상 남아야 하므로 한도가 10인 계정에서는 쓸 수 없습니다([cost.ko.md](cost.ko.md#동시-실행))',
    },
    canary: {
      meaning:
        '배포할 때 5분 동안 호출의 10%만 새 버전으로 보내고, 새 버전이 실패하면 되돌립니다: [upgrade.ko.md](upgrade.ko.md#배포-되돌리기). 배포가 5분 길어지고 경보가 7개 늘어납니다',
    },
    alarmEmails: {
      allowed: '이메일 주소 10개 이하',
      meaning: '경보를 받을 운영자의 주소. 주소마다 AWS가 보낸 메일에서 확인해야 합니다',
    },
    alarmTopicArn: {
      allowed: 'SNS 토픽의 ARN, 또는 빈 값',
      meaning:
        '경보를 받을 여러분의 토픽. 이 스택의 토픽 대신 씁니다. Amazon Q로 Slack에 보내는 토픽이 한 예입니다([watching.ko.md](watching.ko.md)). 토픽 정책이 `cloudwatch.amazonaws.com`의 발행을 허용해야 합니다',
    },
    dashboard: { meaning: '`false`면 CloudWatch 대시보드를 만들지 않습니다. 경보는 남습니다' },
    budget: {
      allowed: '월 0~1000000달러',
      meaning:
        'AWS 계정 전체의 예산. 한 달 요금이 넘었거나 넘을 것으로 예상되면 AWS가 `alarmEmails`로 메일을 보냅니다. 0이면 만들지 않습니다. 아무것도 중단하지는 않습니다',
    },
    logRetentionDays: {
      allowed: 'CloudWatch Logs에서 정할 수 있는 보관 일수: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, … 3653',
      meaning: '로그 보관 기간',
    },
    archiveDays: {
      allowed: '0~3653',
      meaning:
        '[다시 보내기(replay)](runbook.ko.md#subscriber-missed)에 쓸 이벤트를 EventBridge 아카이브에 보관하는 일수. 0이면 만들지 않습니다. 이벤트 하나는 1 KB쯤이고 요금은 받은 양과 보관한 양(GB)에 붙어, 결제 천 건이면 한 달에 1센트가 안 됩니다. `eventBus`로 여러분의 버스를 주면 만들지 않습니다',
    },
    removal: {
      meaning:
        '`destroy`는 스택과 함께 테이블, 시크릿, 로그를 지우고 테이블 삭제 방지도 끕니다. 테스트 배포에서만 쓰세요',
    },
    tags: { allowed: '이름 → 값, 40개 이하', meaning: '태그를 붙일 수 있는 모든 리소스에 붙습니다' },
    name: {
      allowed: '영문자로 시작하는 영문자, 숫자, `-` 64자 이하',
      meaning:
        '스택의 이름. 이름이 다른 배포는 같은 계정과 리전에 있어도 서로 아무것도 나눠 쓰지 않습니다. 이름을 바꾸면 배포가 하나 더 생깁니다',
    },
    domain: {
      allowed:
        '`{"name": "pay.my-shop.kr", "certificateArn": "arn:aws:acm:…", "hostedZoneId": "Z…", "only": false}`. 뒤의 둘은 생략 가능',
      meaning:
        'API에 쓸 쇼핑몰의 도메인과 같은 리전의 인증서. `hostedZoneId`가 있으면 스택이 레코드를 만들고, 없으면 출력 `DomainTarget`을 가리키는 CNAME을 직접 만드세요. `only`는 API Gateway의 기본 주소를 끕니다',
    },
  },
};
