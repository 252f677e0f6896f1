/**
 * The fake Iamport's browser SDK: IMP.init and IMP.request_pay, as a storefront includes and calls them.
 * Opens the fake Iamport's payment window and returns its result.
 */
(() => {
  const origin = new URL(document.currentScript.src).origin;
  let userCode = '';

  /** `IMP.channel` ('pc' or 'mobile') overrides the user agent. */
  const channel = () => IMP.channel ?? (/Mobi|Android|iPhone|iPad|iPod/i.test(navigator.userAgent) ? 'mobile' : 'pc');

  function init(code) {
    userCode = code;
  }

  async function request_pay(param, callback) {
    if (!userCode) {
      alert('IMP.init(가맹점 식별코드)을 먼저 호출해 주세요.');
      return;
    }
    const isPhone = channel() === 'mobile';
    if (isPhone && !param.m_redirect_url) {
      alert('모바일 결제에는 m_redirect_url이 필요합니다.');
      return;
    }
    const opened = await open(param, isPhone);
    if (isPhone) location.assign(opened.window ? origin + opened.window : opened.redirect_url);
    else if (opened.window) showOverPage(origin + opened.window, callback);
    else callback?.(opened.rsp);
  }

  /** @returns the window, or the result for the shop when it does not open */
  async function open(param, isPhone) {
    const redirect = param.m_redirect_url && { m_redirect_url: new URL(param.m_redirect_url, location.href).href };
    const request = {
      channel: isPhone ? 'mobile' : 'pc',
      user_agent: navigator.userAgent,
      param: { ...param, ...redirect },
    };
    // With a plain content type the browser sends no preflight.
    const response = await fetch(`${origin}/checkout`, { method: 'POST', body: JSON.stringify(request) });
    const opened = await response.json();
    if (response.ok) return opened;
    const rsp = { success: false, imp_uid: null, merchant_uid: param.merchant_uid, error_msg: opened.error };
    return { rsp, redirect_url: redirect?.m_redirect_url };
  }

  function showOverPage(address, callback) {
    const frame = document.createElement('iframe');
    const before = document.activeElement;
    frame.src = address;
    frame.title = 'Iamport';
    frame.id = 'imp-iframe';
    // The scheme is that of the browser, as in the window: a frame with another scheme than its document is opaque.
    frame.style.cssText =
      'position:fixed;inset:0;width:100%;height:100%;border:0;z-index:2147483647;background:rgb(0 0 0 / 50%);color-scheme:light dark';
    // Until the window has the focus, Escape arrives at the page.
    const passEscape = ({ key }) => key === 'Escape' && frame.contentWindow.postMessage({ key }, origin);
    const finish = (event) => {
      if (event.origin !== origin || event.source !== frame.contentWindow) return;
      removeEventListener('message', finish);
      removeEventListener('keydown', passEscape);
      frame.remove();
      before?.focus?.();
      callback?.(event.data.rsp);
    };
    addEventListener('message', finish);
    addEventListener('keydown', passEscape);
    document.body.append(frame);
    frame.focus();
  }

  const IMP = { init, request_pay, channel: undefined };
  window.IMP = IMP;
})();
