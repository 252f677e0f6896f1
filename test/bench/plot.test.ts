import { expect, test } from 'vitest';
import { drawn } from '../../bench/plot.ts';

const plot = {
  title: 'Cost of a month',
  xName: 'payments',
  x: ['1,000', '10,000', '100,000'],
  yName: 'USD',
  series: [
    { name: 'a month', values: [1, 10, 100] },
    { name: 'a <thousand> & more', values: [0, undefined, 5] },
  ],
};

test('draws a point for each value above 0 and a line for each series', () => {
  const svg = drawn(plot);
  expect(svg.match(/<circle/g)).toHaveLength(4);
  expect(svg.match(/<polyline/g)).toHaveLength(2);
});

test('places each power of ten at an equal distance', () => {
  const points =
    /points="([^"]+)"/
      .exec(drawn(plot))?.[1]
      ?.split(' ')
      .map((point) => point.split(',').map(Number)) ?? [];
  expect(points).toEqual([
    [70, 272],
    [280, 156],
    [490, 40],
  ]);
});

test('labels the axes and the series, with escaped text', () => {
  const svg = drawn(plot);
  for (const text of ['Cost of a month, USD', 'payments', '10,000', '>100<', 'a &lt;thousand&gt; &amp; more']) {
    expect(svg).toContain(text);
  }
});

test('follows the dark scheme of the reader, and has no background', () => {
  const svg = drawn(plot);
  expect(svg).toContain('prefers-color-scheme:dark');
  expect(svg).not.toContain('width="100%"');
});

test('refuses a plot without a value above 0', () => {
  expect(() => drawn({ ...plot, series: [{ name: 'none', values: [0, undefined] }] })).toThrow(
    'The plot "Cost of a month" has no value above 0',
  );
});
