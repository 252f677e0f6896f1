/**
 * The live page: draws the facts that the local system tells as a sequence diagram, one order at a time. Asks nothing, decides nothing,
 * and believes the local system.
 */

import { surroundings } from './backend.js';
import { say, speak } from './messages.js';
import { element, money } from './view.js';

/** The columns. Whoever acts on the sandbox's control page stands where Iamport stands. */
const places = ['shop', 'buyer', 'functions', 'iamport', 'table', 'bus'];
const factsKept = 500;
const ordersShown = 5;

const facts = new Map();
/** The order that is shown, `*` for everything; undefined follows the newest. */
let chosen;

const columnOf = (place) => places.indexOf(place === 'bank' ? 'iamport' : place) + 1;

/** The orders that facts name, the one with the newest beginning first. */
const orders = () => [...new Set([...facts.values()].map(({ order }) => order).filter(Boolean))].reverse();

const shownOrder = () => chosen ?? orders()[0];

/** What a status makes one feel: of a decision, a write or an event. */
function moodOf({ kind, title }) {
  if (isAsked({ kind })) return 'plain';
  const last = title.split('→').at(-1).trim().toLowerCase();
  if (/^(paid|payment paid|done|refund completed)$/.test(last)) return 'good';
  if (/failed|rejected|reversed|required|mismatch|duplicate|cancelled|error|not_found|unavailable/.test(last))
    return 'bad';
  return 'wait';
}

/** An answer is still to come. */
const isAsked = ({ kind }) => kind === 'request' || kind === 'call' || kind === 'window';

function drawPlaces() {
  element('places').replaceChildren(
    ...places.map((place) => {
      const head = document.createElement('div');
      head.dataset.place = place;
      const name = Object.assign(document.createElement('strong'), { textContent: say(`place.${place}`) });
      const why = Object.assign(document.createElement('small'), { textContent: say(`place.${place}.why`) });
      head.append(name, why);
      return head;
    }),
  );
}

function drawOrders() {
  const now = shownOrder();
  const button = (order, label) => {
    const node = Object.assign(document.createElement('button'), { type: 'button', textContent: label });
    node.setAttribute('aria-pressed', String(order === now));
    node.addEventListener('click', () => {
      // The newest one is followed again, and the next purchase with it.
      chosen = order === orders()[0] ? undefined : order;
      draw();
    });
    return node;
  };
  const recent = orders().slice(0, ordersShown);
  element('orders').replaceChildren(
    ...recent.map((order) => button(order, labelOf(order))),
    ...(recent.length > 0 ? [button('*', say('everything'))] : []),
  );
}

function labelOf(order) {
  const amount = [...facts.values()].find(
    (fact) => fact.order === order && fact.kind === 'write' && fact.amount,
  )?.amount;
  return amount === undefined ? order : `${order} · ${money(amount)}`;
}

/** Pages that wait ask the same again and again: of more than three alike the first and the newest are drawn, the newest with how many. */
function withoutRepeats(all) {
  const alike = Map.groupBy(all, ({ kind, from, title }) => `${kind} ${from} ${title}`);
  const repeats = [...alike.values()].filter(({ length }) => length > 3);
  const times = new Map(repeats.map((group) => [group.at(-1), group.length]));
  const left = new Set(repeats.flatMap((group) => group.slice(1, -1)));
  return all.filter((fact) => !left.has(fact)).map((fact) => ({ ...fact, times: times.get(fact) }));
}

/** One line of the diagram: an arrow from place to place, or a thought of the functions. */
function rowOf(fact, begin) {
  const row = document.createElement('li');
  const [from, to] = [columnOf(fact.from), columnOf(fact.to)];
  row.dataset.kind = fact.kind;
  row.dataset.mood = moodOf(fact);
  row.dataset.from = fact.from;
  row.dataset.way = from === to ? 'self' : from < to ? 'right' : 'left';
  row.style.setProperty('--begin', Math.min(from, to));
  row.style.setProperty('--end', Math.max(from, to));
  const part = (name, text) => Object.assign(document.createElement('span'), { className: name, textContent: text });
  const arrow = document.createElement('div');
  arrow.className = 'arrow';
  const title = Object.assign(document.createElement('b'), { textContent: fact.title });
  if (fact.times) title.append(` ×${fact.times}`);
  const who = part('who', `${say(`place.${fact.from}`)}${from === to ? '' : ` → ${say(`place.${fact.to}`)}`}`);
  arrow.append(who, title, part('detail', fact.detail ?? (isAsked(fact) ? '…' : '')), part('line', ''));
  row.append(part('time', `+${((fact.at - begin) / 1000).toFixed(2)}`), part('kind', say(`kind.${fact.kind}`)), arrow);
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
  drawOrders();
}

/** Facts come in bursts: drawn once for each. */
let isDrawing = false;
function drawSoon() {
  if (isDrawing) return;
  isDrawing = true;
  setTimeout(() => {
    isDrawing = false;
    draw();
  }, 50);
}

function showConnection(word) {
  element('pulse').dataset.connection = word;
  element('connection').dataset.say = word;
  element('connection').textContent = say(word);
}

function listen() {
  const source = new EventSource('/__local/live');
  source.addEventListener('open', () => {
    // A restart of the local system begins anew, and tells everything from its beginning.
    facts.clear();
    showConnection('connected');
    drawSoon();
  });
  source.addEventListener('error', () => showConnection('disconnected'));
  source.addEventListener('message', ({ data: text }) => {
    const fact = JSON.parse(text);
    facts.set(fact.id, fact);
    if (facts.size > factsKept) facts.delete(facts.keys().next().value);
    drawSoon();
  });
}

speak(() => {
  drawPlaces();
  draw();
});
drawPlaces();
listen();
surroundings().then(({ controlUrl }) => {
  if (controlUrl) Object.assign(element('control'), { href: `${controlUrl}/`, hidden: false });
}, console.error);
