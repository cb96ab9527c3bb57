// Everything that one look at a page wants, in one round trip.
//
// Playwright's own selector engine costs some 60 ms of CPU in each new page, so what the DOM can answer for certain is
// answered here: CSS in pages without shadow roots, and roles and texts that are plainly there. An answer of null means
// "not certain", and Playwright is asked. Nothing here may say more than Playwright would.
({ selectors, texts, body }) => {
  const ROLES = { button: "button", heading: "h1,h2,h3,h4,h5,h6", link: "a[href]" };
  const UNSPOKEN = "[role],[aria-label],[aria-labelledby],[title]";
  const ODD = /[\u200b\u00ad]/;

  const plain = (text) => text.replace(/\s+/g, " ").trim();
  const all = [...document.querySelectorAll("*")];
  const shadows = all.some((element) => element.shadowRoot);

  const visible = (element) => {
    const style = getComputedStyle(element);
    if (style.display === "contents") return null;
    if (style.visibility !== "visible" || !element.checkVisibility()) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
  };
  const anyVisible = (elements) => elements.some((element) => visible(element) === true);

  const byCss = (selector) => {
    try {
      return [...document.querySelectorAll(selector)];
    } catch {
      return null;
    }
  };
  const seenByCss = (elements) => {
    const answers = elements.map(visible);
    if (answers.includes(true)) return true;
    return shadows || answers.includes(null) ? null : false;
  };

  const decorated = (element) =>
    ["::before", "::after"].some((part) => !["none", "normal"].includes(getComputedStyle(element, part).content));
  const ownName = (element) => {
    const spoken = [...element.children].every((child) => child.matches('[aria-hidden="true"]'));
    if (!spoken || element.matches(UNSPOKEN) || element.labels?.length || decorated(element)) return null;
    if (element.closest("[aria-hidden],[inert]") || element.parentElement?.closest("[role]")) return null;
    const text = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data);
    return plain(text.join(""));
  };
  const seenByRole = (role, name) => {
    const named = [...document.querySelectorAll(ROLES[role])].filter((element) => ownName(element) === plain(name));
    return name && !ODD.test(name) && anyVisible(named) ? true : null;
  };

  const seenByText = (wanted) => {
    const text = plain(wanted).toLowerCase();
    const holds = (element) =>
      !element.children.length &&
      !element.closest("head,script,style,noscript") &&
      plain(element.textContent).toLowerCase().includes(text);
    return text && !ODD.test(text) && anyVisible(all.filter(holds)) ? true : null;
  };

  const seen = (selector) => {
    if (selector.includes(">>")) return null;
    const role = /^role=(button|heading|link)\[name=(?:"([^"\\]*)"|'([^'\\]*)')\]$/.exec(selector);
    if (role) return seenByRole(role[1], role[2] ?? role[3]);
    const text = /^text=([^"'/].*)$/.exec(selector);
    if (text) return seenByText(text[1]);
    const elements = byCss(selector.replace(/^css=/, ""));
    return elements && seenByCss(elements);
  };
  const textOf = (selector) => {
    const elements = selector.includes(">>") || shadows ? null : byCss(selector.replace(/^css=/, ""));
    if (!elements) return null;
    const text = elements.length ? elements[0].innerText : "";
    return typeof text === "string" ? [text].slice(0, elements.length) : null;
  };

  const entry = performance.getEntriesByType("navigation")[0];
  return {
    title: String(document.title),
    complete: document.readyState === "complete",
    body: body && document.body ? String(document.body.innerText) : "",
    timing: entry ? entry.toJSON() : {},
    seen: selectors.map(seen),
    texts: texts.map(textOf),
  };
}
