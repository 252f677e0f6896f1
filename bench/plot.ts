/** Draws a line plot as SVG. Its text and lines follow the light or dark scheme of the reader; it has no background of its own. */

export interface Series {
  readonly name: string;
  /** One value for each x; undefined leaves the point out. */
  readonly values: readonly (number | undefined)[];
}

export interface Plot {
  readonly title: string;
  readonly xName: string;
  /** Labels of the x values, at equal distances. */
  readonly x: readonly string[];
  /** The unit of all values, which are drawn on a logarithmic scale: a value of 0 or less is left out. */
  readonly yName: string;
  readonly series: readonly Series[];
}

const size = { width: 640, height: 320, left: 70, right: 150, top: 40, bottom: 48 };
/** Legible on white and on black. */
const colours = ['#2f81f7', '#d9822b', '#2da44e', '#bf5af2'];
const style = `text{fill:#24292f}.grid{stroke:#8c959f;stroke-opacity:.35}@media(prefers-color-scheme:dark){text{fill:#d0d7de}}`;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (found) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[found] ?? found);
const powerName = (value: number): string => (value >= 1 ? value.toLocaleString('en') : String(value));

/** @returns an SVG document @throws Error when no value is above 0 */
export function drawn({ title, xName, x, yName, series }: Plot): string {
  const all = series.flatMap(({ values }) => values).filter((value) => value !== undefined && value > 0) as number[];
  if (all.length === 0) throw new Error(`The plot "${title}" has no value above 0`);
  const low = Math.floor(Math.log10(Math.min(...all)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...all))));
  const bottom = size.height - size.bottom;
  const right = size.width - size.right;
  const xAt = (index: number) => size.left + (index / Math.max(1, x.length - 1)) * (right - size.left);
  const yAt = (value: number) => bottom - ((Math.log10(value) - low) / (high - low)) * (bottom - size.top);
  const text = (at: readonly [number, number], content: string, anchor = 'middle') =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`;
  const grid = Array.from({ length: high - low + 1 }, (_none, step) => {
    const y = yAt(10 ** (low + step));
    return [
      `<line class="grid" x1="${size.left}" y1="${y.toFixed(1)}" x2="${right}" y2="${y.toFixed(1)}"/>`,
      text([size.left - 8, y + 4], powerName(Number((10 ** (low + step)).toPrecision(1))), 'end'),
    ];
  });
  const lines = series.map(({ name, values }, index) => {
    const colour = colours[index % colours.length];
    const points = values.flatMap((value, at) =>
      value === undefined || value <= 0 ? [] : [[xAt(at), yAt(value)] as const],
    );
    const dots = points.map(
      ([cx, cy]) => `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3.5" fill="${colour}"/>`,
    );
    const path = points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
    const key = size.top + 8 + index * 20;
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...dots,
      `<rect x="${right + 16}" y="${key - 9}" width="10" height="10" fill="${colour}"/>`,
      text([right + 32, key], name, 'start'),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    text([size.left, 20], `${title}, ${yName}`, 'start'),
    ...grid.flat(),
    ...x.map((label, index) => text([xAt(index), bottom + 18], label)),
    text([(size.left + right) / 2, size.height - 10], xName),
    ...lines.flat(),
    '</svg>',
    '',
  ].join('\n');
}
