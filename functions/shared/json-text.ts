/** JSON from outside. */

/** @returns undefined for what is no JSON. The parser's own error is not passed on: it quotes the text, which may be personal. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
