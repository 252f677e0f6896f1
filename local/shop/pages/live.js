/**
 * The live page: draws the facts from the local system's feed as a sequence diagram, one order at a time. Displays
 * only, and trusts the feed.
 */

import { shopConfig } from './backend.js';
import { money } from './format.js';
import { currentLanguage } from './language.js';
import { initLanguage, translate } from './messages.js';
import { element } from './view.js';

/** The columns. The user of the fake Iamport's control page (`bank`) shares the column of Iamport. */
const places = ['shop', 'buyer', 'functions', 'iamport', 'table', 'bus', 'queue'];
const maxFacts = 500;
const maxOrders = 5;

const facts = new Map();
/** The order that the viewer has chosen, `*` for all; undefined follows the newest. */
let chosen;
/** The address of the fake Iamport's console, once it is known. */
let consoleUrl;
let drawnOrders = '';

/** Without a receiver of webhooks there are no queues of them, and no column. */
const shownPlaces = () => {
  const hasQueue = [...facts.values()].some(({ kind }) => kind === 'queue');
  return places.filter((place) => hasQueue || place !== 'queue');
};

const columnOf = (place) => places.indexOf(place === 'bank' ? 'iamport' : place) + 1;

/** True for a fact that shows that its order exists: its registration, or a write of it. Any caller can name another. */
const isOfRegistered = ({ kind, title, detail = '' }) =>
  kind === 'write' ? detail.startsWith('orders') : title.startsWith('PUT /orders/') && /^2\d\d\b/.test(detail);

/** The registered orders in the facts, newest first. */
const orders = () => [...new Set([...facts.values()].filter(isOfRegistered).map(({ order }) => order))].reverse();

const shownOrder = () => chosen ?? orders()[0];

/** The color of a fact, by the status in its title. */
function toneOf({ kind, title, detail }) {
  if (hasResponse({ kind })) return 'plain';
  if (kind === 'webhook') return /^2\d\d\b/.test(detail) ? 'good' : 'bad';
  if (kind === 'queue') return { repeat: 'wait', 'dead-letter': 'bad' }[title] ?? 'plain';
  const last = title.split('→').at(-1).trim().toLowerCase();
  if (/^(paid|payment paid|done|refund completed)$/.test(last)) return 'good';
  if (/failed|rejected|reversed|required|mismatch|duplicate|cancelled|error|not_found|unavailable/.test(last))
    return 'bad';
  return 'wait';
}

/** True for the kinds of facts that are updated with a response. */
const hasResponse = ({ kind }) => kind === 'request' || kind === 'call' || kind === 'window';

function drawPlaces() {
  const shown = shownPlaces();
  element('diagram').style.setProperty('--count', shown.length);
  element('places').replaceChildren(
    ...shown.map((place) => {
      const head = document.createElement('div');
      head.dataset.place = place;
      const name = Object.assign(document.createElement('strong'), { textContent: translate(`place.${place}`) });
      const why = Object.assign(document.createElement('small'), { textContent: translate(`place.${place}.why`) });
      head.append(name, why);
      return head;
    }),
  );
}

/** The choices as `[value, label]`: follow the newest order, one of the newest orders, or all. */
function choices() {
  const recent = orders();
  if (recent.length === 0) return [];
  // The chosen order stays a choice when newer ones come.
  const listed = recent.filter((order, index) => index < maxOrders || order === chosen);
  return [['', translate('newest')], ...listed.map((order) => [order, labelOf(order)]), ['*', translate('everything')]];
}

/** Buttons on a wide screen, a list on a phone; the style shows one of them. */
function drawOrders() {
  const all = choices();
  // An open list or a pressed button must not be replaced by an equal one.
  const drawn = JSON.stringify([all, chosen, shownOrder()]);
  if (drawn === drawnOrders) return;
  drawnOrders = drawn;
  const list = element('order-list');
  list.parentElement.hidden = all.length === 0;
  list.replaceChildren(...all.map(([value, label]) => new Option(label, value)));
  list.value = chosen ?? '';
  element('orders').replaceChildren(
    ...all.map(([value, label]) => {
      const node = Object.assign(document.createElement('button'), { type: 'button', textContent: label });
      node.setAttribute('aria-pressed', String(value === (chosen ?? '')));
      node.classList.toggle('shown', value === shownOrder());
      node.addEventListener('click', () => choose(value));
      return node;
    }),
  );
}

/** @param value an order, `*` for all, or empty to follow the newest */
function choose(value) {
  chosen = value || undefined;
  draw();
}

/** In the console the payments of the shown order come first. */
function linkConsole() {
  if (!consoleUrl) return;
  const order = shownOrder();
  const query = new URLSearchParams({
    ...(order && order !== '*' && { merchant_uid: order }),
    lang: currentLanguage(),
  });
  Object.assign(element('control'), { href: `${consoleUrl}/?${query}`, hidden: false });
}

function labelOf(order) {
  const amount = [...facts.values()].find(
    (fact) => fact.order === order && fact.kind === 'write' && fact.amount,
  )?.amount;
  return amount === undefined ? order : `${order} · ${money(amount)}`;
}

/**
 * Collapses the repeated calls of polling pages: of more than three equal facts it keeps the first and the last, with
 * the count. Each attempt of a webhook has a status of its own, so all of them stay.
 */
function withoutRepeats(all) {
  const polled = all.filter(({ kind }) => kind !== 'queue' && kind !== 'webhook');
  const alike = Map.groupBy(polled, ({ kind, from, title }) => `${kind} ${from} ${title}`);
  const repeats = [...alike.values()].filter(({ length }) => length > 3);
  const times = new Map(repeats.map((group) => [group.at(-1), group.length]));
  const left = new Set(repeats.flatMap((group) => group.slice(1, -1)));
  return all.filter((fact) => !left.has(fact)).map((fact) => ({ ...fact, times: times.get(fact) }));
}

/** What the queue of a webhook does has a text; other titles are those of the wire. */
const titleOf = ({ kind, title, afterSeconds }) =>
  kind === 'queue' ? translate(title).replace('%s', afterSeconds) : title;

function detailOf(fact) {
  const { detail, attempt } = fact;
  if (attempt) return [detail, translate('attempt').replace('%s', attempt)].filter(Boolean).join(' · ');
  return detail ?? (hasResponse(fact) ? '…' : '');
}

/** The parts of a text, with a possible line break before each word after `_` or `/`, so that a narrow box breaks no word. */
const breakable = (text) =>
  text
    .split(/(?<=[_/])(?=[a-z])/)
    .flatMap((part, index) => (index === 0 ? [part] : [document.createElement('wbr'), part]));

/** One line of the diagram: an arrow from place to place, or a decision of the functions. */
function rowOf(fact, begin) {
  const row = document.createElement('li');
  const [from, to] = [columnOf(fact.from), columnOf(fact.to)];
  row.dataset.kind = fact.kind;
  row.dataset.tone = toneOf(fact);
  row.dataset.from = fact.from;
  row.dataset.direction = from === to ? 'self' : from < to ? 'right' : 'left';
  row.style.setProperty('--begin', Math.min(from, to));
  row.style.setProperty('--end', Math.max(from, to));
  const part = (name, text, tag = 'span') => {
    const node = Object.assign(document.createElement(tag), { className: name });
    node.append(...breakable(text));
    return node;
  };
  const arrow = document.createElement('div');
  arrow.className = 'arrow';
  const title = part('', `${titleOf(fact)}${fact.times ? ` ×${fact.times}` : ''}`, 'b');
  const who = part(
    'who',
    `${translate(`place.${fact.from}`)}${from === to ? '' : ` → ${translate(`place.${fact.to}`)}`}`,
  );
  arrow.append(who, title, part('detail', detailOf(fact)), part('line', ''));
  row.append(
    part('time', `+${((fact.at - begin) / 1000).toFixed(2)}`),
    part('kind', translate(`kind.${fact.kind}`)),
    arrow,
  );
  return row;
}

function draw() {
  const order = shownOrder();
  const shown = [...facts.values()].filter((fact) => order === '*' || (order && fact.order === order));
  const rows = withoutRepeats(shown).map((fact) => rowOf(fact, shown[0].at));
  const before = element('facts').childElementCount;
  element('facts').replaceChildren(...rows);
  for (const row of rows.slice(before)) row.classList.add('fresh');
  element('empty').hidden = shown.length > 0;
  drawPlaces();
  drawOrders();
  linkConsole();
}

/** Facts arrive in bursts: renders once per burst. */
let isDrawing = false;
function drawSoon() {
  if (isDrawing) return;
  isDrawing = true;
  setTimeout(() => {
    isDrawing = false;
    draw();
  }, 50);
}

function showConnection(state) {
  element('pulse').dataset.connection = state;
  element('connection').dataset.text = state;
  element('connection').textContent = translate(state);
}

function listen() {
  const source = new EventSource('/__local/live');
  source.addEventListener('open', () => {
    // After each connection the server sends every fact from the first one.
    facts.clear();
    showConnection('connected');
    drawSoon();
  });
  source.addEventListener('error', () => showConnection('disconnected'));
  source.addEventListener('message', ({ data: text }) => {
    const fact = JSON.parse(text);
    facts.set(fact.id, fact);
    if (facts.size > maxFacts) facts.delete(facts.keys().next().value);
    drawSoon();
  });
}

initLanguage(draw);
draw();
listen();
element('order-list').addEventListener('change', ({ target }) => choose(target.value));
shopConfig().then(({ controlUrl }) => {
  consoleUrl = controlUrl;
  linkConsole();
}, console.error);
