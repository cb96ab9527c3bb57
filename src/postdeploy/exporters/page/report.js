"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const all = [...document.querySelectorAll("details.check")];
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* a page from a file may not */ } };
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

  const speak = (language) => {
    root.dataset.language = root.lang = language;
    for (const one of document.querySelectorAll("[data-en]")) one.setAttribute("aria-label", one.dataset[language]);
  };
  speak(recall("postdeploy-language") || (navigator.language.startsWith("ko") ? "ko" : "en"));
  byId("language").addEventListener("click", () => {
    speak(root.dataset.language === "en" ? "ko" : "en");
    remember("postdeploy-language", root.dataset.language);
  });

  const paint = (theme) => {
    root.dataset.theme = theme;
    byId("theme").setAttribute("aria-pressed", String(theme === "dark"));
  };
  paint(recall("postdeploy-theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  byId("theme").addEventListener("click", () => {
    paint(root.dataset.theme === "dark" ? "light" : "dark");
    remember("postdeploy-theme", root.dataset.theme);
  });

  const search = byId("search");
  if (!search) return;
  const buttons = [...document.querySelectorAll(".filters button")];
  const texts = new Map();
  let state = buttons.find((one) => one.getAttribute("aria-pressed") === "true").dataset.state, cause = "";

  const fits = (check, text) => {
    const own = check.dataset.state;
    if (state && own !== state && !(state === "attention" && own !== "passed" && own !== "skipped")) return false;
    if (cause && check.dataset.cause !== cause) return false;
    if (!text) return true;
    if (!texts.has(check)) texts.set(check, check.textContent.toLowerCase());
    return texts.get(check).includes(text);
  };
  const filter = () => {
    const text = search.value.trim().toLowerCase();
    let shown = 0;
    for (const check of all) shown += !(check.hidden = !fits(check, text));
    byId("count").textContent = shown;
    byId("none").hidden = shown > 0;
    for (const button of buttons) button.setAttribute("aria-pressed", String(!cause && button.dataset.state === state));
  };
  const choose = (newState, newCause = "") => { state = newState; cause = newCause; filter(); };

  search.addEventListener("input", () => { if (state === "attention") state = ""; filter(); });
  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.state));
  for (const link of document.querySelectorAll("a[data-cause]")) {
    link.addEventListener("click", () => { search.value = ""; choose("", link.dataset.cause); });
  }

  byId("fold").addEventListener("click", (event) => {
    const open = event.currentTarget.getAttribute("aria-pressed") !== "true";
    event.currentTarget.setAttribute("aria-pressed", String(open));
    for (const check of all) if (!check.hidden) check.open = open;
  });

  const show = (id) => {
    const check = all.find((one) => one.id === id);
    if (!check) return;
    if (check.hidden) { search.value = ""; choose(""); }
    check.open = true;
    check.scrollIntoView({ block: "center" });
    check.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", () => show(location.hash.slice(1)));
  document.addEventListener("click", (event) => {
    const bar = event.target.closest("[data-check]");
    const link = event.target.closest('a[href^="#check-"]');
    if (bar) show("check-" + bar.dataset.check);
    if (link) { event.preventDefault(); show(link.getAttribute("href").slice(1)); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
    if (event.key === "Escape" && document.activeElement === search) { search.value = ""; filter(); }
  });

  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", async () => {
      const text = button.dataset.text || button.closest("div").querySelector("pre").textContent;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = document.body.appendChild(document.createElement("textarea"));
        area.value = text; area.select(); document.execCommand("copy"); area.remove(); button.focus();
      }
      button.textContent = root.dataset.language === "ko" ? "복사됨" : "Copied";
    });
  }

  filter();
  if (location.hash.startsWith("#check-")) show(location.hash.slice(1));
})();
