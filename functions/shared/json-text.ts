/** Parses JSON from outside. */

/**
 * @returns undefined for invalid JSON. The parser's error is dropped, since it quotes the text, which may be personal.
 */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
