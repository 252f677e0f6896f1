/**
 * The WebView kit for a native or hybrid app around a payment page. Pure: no platform, network, storage or clock. So it
 * runs in React Native, Capacitor and any other JavaScript, and can be ported to native code.
 */

export type { PaymentApp, Source } from './apps.ts';
export { appWithPackage, appWithScheme, isConfirmed, PAYMENT_APPS, SOURCES } from './apps.ts';
export type { Host } from './follow.ts';
export { comeBack, follow } from './follow.ts';
export type { IntentExtra, IntentTarget, IntentUri } from './intent.ts';
export { addressOf, parseIntent, printIntent } from './intent.ts';
export type { App, Dropped, IgnoreReason, LinkedResult, Move, OpenApp } from './move.ts';
export { moveFor } from './move.ts';
export type { StorePage } from './stores.ts';
