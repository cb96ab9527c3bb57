"use strict";
(() => {
  const root = document.documentElement;
  const all = [...document.querySelectorAll("details.check")];
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* a page from a file may not */ } };
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

  const speak = (language) => { root.dataset.language = language; root.lang = language; };
  speak(recall("postdeploy-language") || (navigator.language.startsWith("ko") ? "ko" : "en"));
  document.getElementById("language").addEventListener("click", () => {
    speak(root.dataset.language === "en" ? "ko" : "en");
    remember("postdeploy-language", root.dataset.language);
  });

  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = recall("postdeploy-theme") || (dark ? "dark" : "light");
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    remember("postdeploy-theme", root.dataset.theme);
  });

  let state = "", cause = "";
  const search = document.getElementById("search");
  const buttons = [...document.querySelectorAll(".filters button")];
  const filter = () => {
    const text = search.value.trim().toLowerCase();
    let shown = 0;
    for (const check of all) {
      const fits = (!state || check.dataset.state === state) && (!cause || check.dataset.cause === cause)
        && (!text || check.textContent.toLowerCase().includes(text));
      check.hidden = !fits;
      shown += fits;
    }
    document.getElementById("none").hidden = shown > 0;
    for (const button of buttons) button.setAttribute("aria-pressed", String(!cause && button.dataset.state === state));
  };
  if (search) {
    search.addEventListener("input", filter);
    for (const button of buttons) button.addEventListener("click", () => { state = button.dataset.state; cause = ""; filter(); });
    for (const link of document.querySelectorAll("a[data-cause]")) {
      link.addEventListener("click", () => { state = ""; cause = link.dataset.cause; filter(); });
    }
  }

  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", async () => {
      const text = button.dataset.text || button.closest("div").querySelector("pre").textContent;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = document.body.appendChild(document.createElement("textarea"));
        area.value = text; area.select(); document.execCommand("copy"); area.remove();
      }
      button.dataset.done = "yes";
      button.textContent = root.dataset.language === "ko" ? "복사됨" : "Copied";
    });
  }

  document.querySelector(".lanes")?.addEventListener("click", (event) => {
    const check = all.find((one) => one.dataset.id === event.target.dataset.id);
    if (check) { state = ""; cause = ""; search.value = ""; filter(); check.open = true; check.scrollIntoView({ block: "center" }); }
  });
})();
