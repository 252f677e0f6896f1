/**
 * The Korean apps that a payment page opens: card, bank, wallet, identity and virus check. Facts only, each with its
 * publishers. In order of importance: where a platform limits the number, the first ones count.
 */

/** The publishers of a scheme or a package. The first two are Iamport's (PortOne's) own, the others are other PGs'. */
export const SOURCES = {
  G: 'The KG Inicis guide, github.com/iamport/iamport-manual',
  P: 'PortOne SDKs and manual, github.com/iamport (ios, android, react-native, flutter, manual)',
  T: 'Toss Payments, docs.tosspayments.com/guides/v2/webview',
  K: 'KICC EasyPay, developer.easypay.co.kr/tech-support/appGuide',
  H: 'Hecto Financial, card payment manual, section 7',
  Y: 'Payple, developer.payple.kr/integration/webview',
  B: 'Bootpay SDK for iOS, github.com/bootpay',
} as const;
export type Source = keyof typeof SOURCES;

export interface PaymentApp {
  /** As published. Compared case-insensitively, since some PGs write capitals. Missing: opened only by its package. */
  readonly scheme?: string;
  readonly ko: string;
  readonly en: string;
  /** The package on Android. */
  readonly android?: string;
  /** The number in the App Store. */
  readonly appStore?: string;
  /** The scheme exists only on this platform. */
  readonly only?: 'android' | 'ios';
  /**
   * The month in which Iamport first published the scheme, by the history of its repositories. Missing if it never did.
   */
  readonly since?: string;
  readonly sources: readonly Source[];
}

/**
 * True when Iamport, or at least two other PGs, publish the app. An unconfirmed entry may be right, but must not be
 * relied on.
 */
export function isConfirmed({ sources }: PaymentApp): boolean {
  return sources.includes('G') || sources.includes('P') || sources.length > 1;
}

type Row = readonly [
  scheme: string,
  ko: string,
  en: string,
  android: string,
  appStore: string,
  since: string,
  sources: string,
  only?: 'android' | 'ios',
];

// biome-ignore format: one app a line
const ROWS: readonly Row[] = [
  ['ispmobile', 'ISP/페이북', 'ISP/Paybooc', 'kvp.jjy.MispAndroid320', '369125087', '2016-05', 'GPTKHYB'],
  ['kftc-bankpay', '뱅크페이', 'BankPay', 'com.kftc.bankpay.android', '398456030', '2016-05', 'GPKH'],
  ['kb-acp', 'KB Pay', 'KB Pay', 'com.kbcard.cxh.appcard', '695436326', '2016-05', 'GPTKHYB'],
  ['shinhan-sr-ansimclick', '신한 SOL페이', 'Shinhan SOL Pay', 'com.shcard.smartpay', '572462317', '2016-05', 'GPTKHYB'],
  ['mpocket.online.ansimclick', '삼성카드', 'Samsung Card', 'kr.co.samsungcard.mpocket', '535125356', '2016-05', 'GPTKHYB'],
  ['hdcardappcardansimclick', '현대카드', 'Hyundai Card', 'com.hyundaicard.appcard', '702653088', '2016-05', 'GPTKHYB'],
  ['lotteappcard', '디지로카 (롯데카드)', 'Lotte Card', 'com.lcacApp', '688047200', '2016-05', 'GPTKHYB'],
  ['cloudpay', '하나Pay (하나카드)', 'Hana Pay', 'com.hanaskcard.paycla', '847268987', '2016-05', 'GPTKHYB'],
  ['nhallonepayansimclick', 'NH페이 (올원페이)', 'NH Pay', 'nh.smart.nhallonepay', '1177889176', '2017-10', 'PTKHB'],
  ['com.wooricard.wcard', '우리WON카드', 'Woori WON Card', 'com.wooricard.smartapp', '1499598869', '2021-04', 'PTKHYB'],
  ['com.wooricard.smartapp', '우리WON카드', 'Woori WON Card', 'com.wooricard.smartapp', '', '2021-06', 'PH', 'android'],
  ['newsmartpib', '우리WON뱅킹', 'Woori WON Banking', 'com.wooribank.smart.npib', '1470181651', '2021-09', 'PTKHYB'],
  ['wooribank', '우리WON뱅킹', 'Woori WON Banking', 'com.wooribank.smart.npib', '', '2021-09', 'PH', 'android'],
  ['kakaotalk', '카카오톡 (카카오페이)', 'KakaoTalk (Kakao Pay)', 'com.kakao.talk', '362057947', '2016-05', 'GPKHB'],
  ['supertoss', '토스', 'Toss', 'viva.republica.toss', '839333328', '2021-05', 'PTKHB'],
  ['payco', '페이코', 'PAYCO', 'com.nhnent.payapp', '924292102', '2016-10', 'PTKHYB'],
  ['naversearchthirdlogin', '네이버 (네이버페이)', 'Naver (Naver Pay)', 'com.nhn.android.search', '393499958', '2020-12', 'PK'],
  ['naversearchapp', '네이버 (네이버페이)', 'Naver (Naver Pay)', 'com.nhn.android.search', '393499958', '2022-06', 'PB'],
  ['samsungpay', '삼성페이', 'Samsung Pay', 'com.samsung.android.spay', '535125356', '2016-10', 'GPTKHYB'],
  ['citimobileapp', '씨티모바일', 'Citi Mobile', 'kr.co.citibank.citimobile', '1179759666', '2017-10', 'PTKHYB'],
  ['kakaobank', '카카오뱅크', 'KakaoBank', 'com.kakaobank.channel', '1258016944', '2024-11', 'PTH'],
  ['kbbank', 'KB스타뱅킹', 'KB Star Banking', 'com.kbstar.kbbank', '373742138', '2023-04', 'PTKHB'],
  ['liivbank', '리브', 'Liiv', 'com.kbstar.liivbank', '1126232922', '2020-08', 'PTKHYB'],
  ['newliiv', '리브 Next', 'Liiv Next', 'com.kbstar.reboot', '1573528126', '2023-04', 'PTKHB'],
  ['hanawalletmembers', '하나머니 (하나멤버스)', 'Hana Money', 'kr.co.hanamembers.hmscustomer', '1038288833', '2019-09', 'PTKHYB'],
  ['monimopay', '모니모', 'monimo', 'net.ib.android.smcard', '', '', 'TK'],
  ['monimopayauth', '모니모 인증', 'monimo, identity', 'net.ib.android.smcard', '', '', 'TK'],
  ['shinsegaeeasypayment', 'SSGPAY', 'SSGPAY', 'com.ssg.serviceapp.android.egiftcertificate', '666237916', '2018-08', 'PTKHYB'],
  ['lmslpay', 'L.POINT (L.pay)', 'L.POINT with L.pay', 'com.lottemembers.android', '473250588', '2021-04', 'PKHB'],
  ['lottesmartpay', '롯데 모바일결제', 'Lotte mobile payment', 'com.lotte.lottesmartpay', '668497947', '2016-05', 'GPTHYB'],
  ['kb-auth', 'KB Pay 본인인증', 'KB Pay, identity', '', '695436326', '2021-03', 'P', 'ios'],
  ['hyundaicardappcardid', '현대카드 본인인증', 'Hyundai Card, identity', '', '702653088', '2021-03', 'P', 'ios'],
  ['smhyundaiansimclick', '현대카드 공동인증서', 'Hyundai Card, certificate', 'com.lumensoft.touchenappfree', '702653088', '2016-05', 'GPTHYB'],
  ['smshinhanansimclick', '신한카드 공동인증서', 'Shinhan Card, certificate', 'com.shinhancard.smartshinhan', '572462317', '2016-05', 'GPTKHYB'],
  ['scardcertiapp', '삼성카드 공동인증서', 'Samsung Card, certificate', '', '535125356', '2016-10', 'GPHYB', 'ios'],
  ['nonghyupcardansimclick', 'NH농협카드 공동인증서', 'NH Card, certificate', '', '1177889176', '2016-10', 'GPTHB', 'ios'],
  ['citicardappkr', '씨티카드 공동인증서', 'Citi Card, certificate', 'com.citibank.cardapp', '1179759666', '2016-10', 'GPTHYB'],
  ['citispay', '씨티카드', 'Citi Card', 'com.citibank.cardapp', '1179759666', '2016-10', 'GPTHYB'],
  ['hanamopmoasign', '하나카드 모아사인', 'Hana Card, certificate', 'com.hanaskcard.rocomo.potal', '', '2019-09', 'PH'],
  ['nhappcardansimclick', 'NH앱카드', 'NH app card', 'nh.smart.mobilecard', '1177889176', '2016-05', 'PTHB'],
  ['nhappvardansimclick', 'NH앱카드 (가이드 표기)', 'NH app card, as the guide spells it', '', '1177889176', '2016-10', 'GB', 'ios'],
  ['vguardstart', 'V-Guard 백신 (삼성카드)', 'V-Guard virus check', 'kr.co.shiftworks.vguardweb', '', '2016-10', 'GPTKHY'],
  ['ansimclickscard', '삼성카드 온라인결제', 'Samsung Card online', '', '535125356', '2016-05', 'GPYB', 'ios'],
  ['ansimclickipcollect', '삼성카드 온라인결제', 'Samsung Card online', '', '535125356', '2016-10', 'GPYB', 'ios'],
  ['lguthepay-xpay', '페이나우', 'Paynow', 'com.lguplus.paynow', '760098906', '2021-06', 'P'],
  ['ukbanksmartbanknonloginpay', '케이뱅크 페이', 'K bank pay', 'com.kbankwith.smartbank', '1178872627', '2022-04', 'P'],
  ['tauthlink', 'PASS (SKT)', 'PASS by SKT', 'com.sktelecom.tauth', '1141258007', '2021-11', 'PKB'],
  ['ktauthexternalcall', 'PASS (KT)', 'PASS by KT', 'com.kt.ktauth', '1134371550', '2021-11', 'PKB'],
  ['upluscorporation', 'PASS (LG U+)', 'PASS by U+', 'com.lguplus.smartotp', '1147394645', '2021-11', 'PKB'],
  ['v3mobileplusweb', 'V3 Mobile Plus', 'V3 Mobile Plus', 'com.ahnlab.v3mobileplus', '1481938658', '2019-12', 'PK'],
  ['lpayapp', 'L.pay (옛 앱)', 'L.pay (former app)', 'com.lotte.lpay', '1036098908', '2017-10', 'PTHY'],
  ['wooripay', '우리페이 (옛 앱)', 'Woori Pay (former app)', 'com.wooricard.wpay', '1201113419', '2019-09', 'PH'],
  ['chaipayment', '차이', 'Chai', 'finance.chai.app', '1459979272', '2019-09', 'PB'],
  ['kb-screen', 'KB Pay 화면', 'KB Pay, screen', '', '695436326', '2025-06', 'P', 'ios'],
  ['smilepayapp', '스마일페이', 'Smile Pay', 'com.mysmilepay.app', '', '2018-08', 'P', 'android'],
  ['kpay', '케이페이 (KG이니시스)', 'KPay (KG Inicis)', 'com.inicis.kpay', '', '2016-05', 'P', 'android'],
  ['kb-bankpay', '뱅크페이 (KB국민은행)', 'BankPay by KB', 'com.kbstar.liivbank', '', '2020-08', 'P'],
  ['nhb-bankpay', '뱅크페이 (NH농협은행)', 'BankPay by NH', 'com.nh.cashcardapp', '', '2020-08', 'P'],
  ['mg-bankpay', '뱅크페이 (MG새마을금고)', 'BankPay by MG', 'kr.co.kfcc.mobilebank', '', '2020-08', 'P'],
  ['kn-bankpay', '뱅크페이 (BNK경남은행)', 'BankPay by BNK', 'com.knb.psb', '', '2020-08', 'P'],
  ['mvaccinestart', 'TouchEn mVaccine (신한카드)', 'TouchEn mVaccine', 'com.TouchEn.mVaccine.webs', '', '', 'KH', 'android'],
  ['hanaskcardmobileportal', '하나카드 (모바일포털)', 'Hana Card, mobile portal', '', '', '', 'H', 'ios'],
  ['tswansimclick', '시럽 앱카드', 'Syrup app card', '', '', '', 'HY', 'ios'],
  ['paycoapplogin', '페이코 로그인', 'PAYCO, login', '', '924292102', '', 'H', 'ios'],
  ['callonlinepay', 'LG페이', 'LG Pay', 'com.lge.lgpay', '', '', 'KH', 'android'],
  ['', '삼성페이 미니', 'Samsung Pay mini', 'com.samsung.android.spaylite', '', '', 'PKH', 'android'],
  ['', '신한 SOL뱅크', 'Shinhan SOL Bank', 'com.shinhan.sbanking', '', '', 'PKH', 'android'],
  ['', '신한 슈퍼SOL', 'Shinhan Super SOL', 'com.shinhan.smartcaremgr', '', '', 'PKH', 'android'],
  ['', '트래블월렛', 'Travel Wallet', 'com.mobiletoong.travelwallet', '', '', 'K', 'android'],
  ['', '티머니페이', 'Tmoney Pay', 'com.tmoney.tmpay', '', '', 'P', 'android'],
  ['', '다날 다모음', 'Danal Damoum', 'kr.danal.app.damoum', '', '', 'P', 'android'],
];

export const PAYMENT_APPS: readonly PaymentApp[] = ROWS.map(
  ([scheme, ko, en, android, appStore, since, sources, only]) => ({
    ...(scheme && { scheme }),
    ko,
    en,
    ...(android && { android }),
    ...(appStore && { appStore }),
    ...(only && { only }),
    ...(since && { since }),
    sources: Array.from(sources) as Source[],
  }),
);

const bySchemeName = new Map(PAYMENT_APPS.flatMap((app) => (app.scheme ? [[app.scheme.toLowerCase(), app]] : [])));
const byPackageName = new Map([...PAYMENT_APPS].reverse().flatMap((app) => (app.android ? [[app.android, app]] : [])));
const byStoreNumber = new Map(
  [...PAYMENT_APPS].reverse().flatMap((app) => (app.appStore ? [[app.appStore, app]] : [])),
);

/** @param scheme in any case, without `:` */
export const appWithScheme = (scheme: string): PaymentApp | undefined => bySchemeName.get(scheme.toLowerCase());
/** Several rows may share a package: returns the first of them. */
export const appWithPackage = (name: string): PaymentApp | undefined => byPackageName.get(name);
/** @param number the number in the App Store, digits only */
export const appInAppStore = (number: string): PaymentApp | undefined => byStoreNumber.get(number);
