/**
 * The language of the local system's pages, Korean or English: that of the link (`?lang=en`), else the last choice in
 * this browser, else that of the browser. The demo shop and the pages of the fake Iamport share it.
 */

/** A browser may refuse storage, such as to a window over a page of another site. Then a choice lasts as long as the page. */
const stored = {
  read() {
    try {
      return localStorage.getItem('language');
    } catch {
      return null;
    }
  },
  write(language) {
    try {
      localStorage.setItem('language', language);
    } catch {
      // As above.
    }
  },
};
const supported = (name) => (/^ko\b/.test(name) ? 'ko' : 'en');

const address = new URL(location.href);
const linked = address.searchParams.get('lang');
if (linked) {
  stored.write(supported(linked));
  // A later choice must survive a reload.
  address.searchParams.delete('lang');
  history.replaceState(history.state, '', address);
}
let language = linked ? supported(linked) : (stored.read() ?? supported(navigator.language));

/** `ko` or `en`. */
export const currentLanguage = () => language;

/** The locale of dates and amounts. */
export const locale = () => (language === 'en' ? 'en-GB' : 'ko-KR');

/**
 * @param texts `{key: [Korean, English]}`
 * @returns `translate(key)`, which returns an unknown key unchanged, and `initLanguage(onChange)`
 */
export function pageTexts(texts) {
  const translate = (key) => texts[key]?.[language === 'en' ? 1 : 0] ?? key;

  /** Sets every text of the page that has a key, in the chosen language. */
  function translatePage() {
    document.documentElement.lang = language;
    for (const node of document.querySelectorAll('[data-text]')) node.textContent = translate(node.dataset.text);
    for (const node of document.querySelectorAll('[data-text-label]')) {
      node.setAttribute('aria-label', translate(node.dataset.textLabel));
    }
    for (const node of document.querySelectorAll('[data-language]')) {
      node.setAttribute('aria-pressed', String(node.dataset.language === language));
    }
  }

  /**
   * Translates the page, now and after each change.
   * @param onChange called after each change, to render the dynamic parts
   */
  function initLanguage(onChange) {
    translatePage();
    for (const button of document.querySelectorAll('[data-language]')) {
      button.addEventListener('click', () => {
        language = button.dataset.language;
        stored.write(language);
        translatePage();
        onChange();
      });
    }
  }
  return { translate, initLanguage };
}
