/**
 * The style and the script of the built-in result page, inserted without escaping. The page's content security policy
 * allows them by their hashes, so no other script or style can run.
 */

import { createHash } from 'node:crypto';

/** The shop's colour as the configuration accepts it. It is inserted without escaping, so nothing else may match. */
export const hexColor = /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i;

/**
 * @param color the shop's; another form than `hexColor` counts as none. Text on it is black or white, whichever is easier
 *   to read
 */
export const styleIn = (color = ''): string => styleOf(hexColor.test(color) ? color : defaultColor);

const styleOf = (color: string): string => `
:root{color-scheme:light dark;--ink:#1a1d21;--quiet:#56606a;--paper:#fff;--ground:#f2f4f6;--line:#dfe3e8;--good:#0a7d4b;--wait:#8a5a00;--bad:#b3261e;--shop:${color};--on-shop:${readableOn(color)}}
@media(prefers-color-scheme:dark){:root{--ink:#eef1f4;--quiet:#a8b2bc;--paper:#1d2126;--ground:#121518;--line:#343b43;--good:#5fd39b;--wait:#f2c063;--bad:#ff8d85}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100svh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);font:1rem/1.6 system-ui,"Apple SD Gothic Neo","Malgun Gothic","Noto Sans KR",sans-serif;word-break:keep-all;overflow-wrap:anywhere}
main{width:100%;max-width:26rem;background:var(--paper);border:1px solid var(--line);border-radius:1.25rem;padding:1.75rem 1.5rem}
.shop{display:flex;align-items:center;gap:.6rem;margin:0 0 1.5rem;color:var(--quiet);font-size:.9rem}
.shop img{display:block;height:1.75rem;max-width:9rem;object-fit:contain}
h1{margin:0 0 1.25rem;font-size:1.3rem;line-height:1.45;text-wrap:balance}
.sign{display:block;width:2.75rem;height:2.75rem;margin-bottom:1rem;stroke:currentColor;stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round;fill:none}
.good .sign{color:var(--good)}.wait .sign{color:var(--wait)}.bad .sign{color:var(--bad)}
.asking .turning{transform-origin:center;animation:turn 1.1s linear infinite}
@keyframes turn{to{transform:rotate(1turn)}}
@media(prefers-reduced-motion:reduce){.asking .turning{animation-duration:6s}}
dl{margin:0;border-bottom:1px solid var(--line)}
dl div{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:.2rem 1rem;padding:.6rem 0;border-top:1px solid var(--line)}
dt{color:var(--quiet)}dd{margin:0 0 0 auto;font-weight:600;text-align:right;text-wrap:balance;font-variant-numeric:tabular-nums}
dl button{font:inherit;font-size:.85rem;color:inherit;background:none;border:1px solid var(--quiet);border-radius:.5rem;padding:.15rem .6rem;margin-left:.6rem;min-height:1.75rem;cursor:pointer}
p{margin:1rem 0 0;color:var(--quiet)}p:empty{margin:0}
nav{display:grid;gap:.6rem;margin-top:1.5rem}
nav a{display:block;padding:.75rem 1rem;border:1px solid var(--line);border-radius:.75rem;color:inherit;text-align:center;text-decoration:none;font-weight:600}
nav a:first-child{background:var(--shop);border-color:var(--shop);color:var(--on-shop)}
a:hover{text-decoration:underline}
:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
a{color:inherit}[hidden]{display:none!important}
`;

/**
 * Copies the text of `data-copy` on a click, and redirects to `data-goes` after `data-after` seconds. Without scripts the
 * numbers can be selected, a `<meta>` refresh checks again, and a link opens the app.
 */
export const script = `
for(const button of document.querySelectorAll('[data-copy]')){
  button.hidden=false;
  button.onclick=async()=>{
    const text=button.dataset.copy;
    try{await navigator.clipboard.writeText(text)}
    catch{const of=button.previousElementSibling;getSelection().selectAllChildren(of);if(!document.execCommand('copy'))return;getSelection().removeAllRanges()}
    document.querySelector('[role=status]').textContent=button.dataset.copied;
  };
}
const goes=document.querySelector('[data-goes]');
if(goes)setTimeout(()=>location.replace(goes.dataset.goes),Number(goes.dataset.after)*1000);
`;

export const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

const defaultColor = '#1f5eff';

/**
 * One of the two always has a contrast of at least 4.5 to 1. Source: WCAG 2.2, relative luminance.
 * @param color `#rgb` or `#rrggbb`
 */
function readableOn(color: string): '#000' | '#fff' {
  const digits = color.length === 4 ? color.replace(/[^#]/g, '$&$&') : color;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.179 ? '#000' : '#fff';
}
