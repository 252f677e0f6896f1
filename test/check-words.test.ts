/** The check of prose: it finds each planted breach below. */

import { expect, test } from 'vitest';
import { retiredIn, strikesIn } from '../scripts/check-words.ts';

const linesOf = (findings: readonly { readonly line: number }[]) => findings.map(({ line }) => line);

/** Retired. In the texts below a literal would count as a breach of this file. */
const word = 'door';

test.each([
  ['a comment', 'shop.ts', `\n// The ${word}.\n`, [2]],
  ['a block comment', 'shop.ts', `/**\n * The ${word}.\n */\n`, [2]],
  ['the message of an error', 'shop.ts', `throw new Error('No ${word}');\n`, [1]],
  ['the message of an error class', 'shop.ts', `throw new StoreUnavailable('No ${word}');\n`, [1]],
  ['the detail of a problem', 'shop.ts', `throw new Problem('forbidden', 'No ${word}');\n`, [1]],
  ['a test name', 'shop.test.ts', `test('opens a ${word}', () => {});\n`, [1]],
  ['English docs', 'shop.md', `A ${word}.\n\nTwo ${word}s.\n`, [1, 3]],
  ['no other text of code', 'shop.ts', `const ${word} = 'a ${word}';\n`, []],
  ['no code in docs', 'shop.md', `Call \`${word}\`.\n\n\`\`\`sh\n${word}\n\`\`\`\n`, []],
])('finds a retired word in %s', (_where, file, text, lines) => {
  expect(linesOf(retiredIn(file, text)).toSorted()).toEqual(lines);
});

test.each([
  ['in a sentence', '한 번.\n\n0.80~2.30달러, 월 2~11달러.\n', [3]],
  ['over two lines of a paragraph', '0.80~2.30달러,\n월 2~11달러.\n', [1]],
  ['beside code', '`1`~`2`, `3`~`4`\n', [1]],
  ['with a space on one side', '약 ~5, 5~ 까지\n', [1]],
  ['in a row of a table', '| 값 |\n|---|\n| 1~2, 3~4 |\n', [3]],
  ['not with spaces', '0.80 ~ 2.30달러, 월 2 ~ 11달러.\n', []],
  ['not alone', '0.80~2.30달러\n\n월 2~11달러\n', []],
  ['not alone in each item and row', '- 1~2\n- 3~4\n\n| 5~6 |\n| 7~8 |\n', []],
  ['not in code', '`1~2`, `3~4`\n\n```sh\ncd ~/a~b\n```\n', []],
  ['not escaped', '1\\~2, 3\\~4\n', []],
])('finds two ~ between which GitHub strikes text through: %s', (_where, markdown, lines) => {
  expect(linesOf(strikesIn(markdown))).toEqual(lines);
});
