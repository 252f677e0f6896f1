/** Amounts, times and pictures, as the demo shop and the pages of the fake Iamport show them. */

import { locale } from './language.js';

/** @param amount in the currency's major units */
export const money = (amount, currency = 'KRW') =>
  new Intl.NumberFormat(locale(), { style: 'currency', currency }).format(amount);

/** @param seconds Unix time; shown as in Korea */
export const time = (seconds, options = { dateStyle: 'medium', timeStyle: 'short' }) =>
  new Intl.DateTimeFormat(locale(), { ...options, timeZone: 'Asia/Seoul' }).format(seconds * 1000);

/** @param id of a symbol in pictures.svg: `picture-notebook`, `icon-card` */
export function picture(id) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS('http://www.w3.org/2000/svg', 'use'));
  svg.firstChild.setAttribute('href', new URL(`./pictures.svg#${id}`, import.meta.url).href);
  return svg;
}
