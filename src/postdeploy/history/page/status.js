"use strict";
(() => {
  const root = document.documentElement;
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

  for (const bars of document.querySelectorAll(".bars")) {
    const days = [...bars.children];
    const told = bars.parentElement.querySelector(".told");
    const tell = (day) => { told.textContent = day.getAttribute("aria-label"); };
    const go = (place) => {
      const day = days[Math.max(0, Math.min(days.length - 1, place))];
      for (const each of days) each.tabIndex = each === day ? 0 : -1;
      day.focus();
    };
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -days.length, End: days.length };
    bars.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (step) { event.preventDefault(); go(days.indexOf(event.target) + step); }
    });
    bars.addEventListener("focusin", (event) => tell(event.target));
    bars.addEventListener("pointerover", (event) => { if (event.target !== bars) tell(event.target.closest("li")); });
  }

  for (const search of document.querySelectorAll("input[type=search]")) {
    const rows = [...search.closest("section").querySelectorAll(".checks tbody tr")];
    search.addEventListener("input", () => {
      const text = search.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(text);
    });
  }
})();
