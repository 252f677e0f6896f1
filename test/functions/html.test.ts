import { expect, test } from 'vitest';
import { html, raw } from '../../functions/http/html.ts';

const dangerous = `<b title="'">&`;
const escaped = '&lt;b title=&quot;&#39;&quot;&gt;&amp;';

test('escapes texts in content and in attributes', () => {
  expect(`${html`<p title="${dangerous}">${dangerous}</p>`}`).toBe(`<p title="${escaped}">${escaped}</p>`);
});

test('inserts nested HTML and lists of it without escaping them again', () => {
  const items = [dangerous, 'b'].map((text) => html`<li>${text}</li>`);
  expect(`${html`<ul>${items}</ul>${raw('<hr>')}`}`).toBe(`<ul><li>${escaped}</li><li>b</li></ul><hr>`);
});

test('inserts numbers, and nothing for false, undefined and an empty text', () => {
  expect(`${html`${0}|${false}|${undefined}|${''}`}`).toBe('0|||');
});

test('does not take an object with a text for HTML', () => {
  // @ts-expect-error only `html` and `raw` make HTML
  expect(() => html`${{ text: '<script>' }}`).toThrow(TypeError);
});
