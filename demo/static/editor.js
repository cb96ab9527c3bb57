/** The desk: everything that changes the conversation. */
import { element } from "./dom.js";
import { Rows } from "./rows.js";
import { THEMES } from "./themes.js";

function now() {
  return new Date().toTimeString().slice(0, 5);
}

export class Editor {
  constructor(state, find) {
    this.state = state;
    this.rows = new Rows(find("rows"), state);
    this.fields = { name: find("name"), presence: find("presence") };
    this.composer = find("composer");
    this.text = find("text");
    this.time = find("time");
    this.time.value = now();
    this.themes = find("themes");
    this.themes.append(...Object.entries(THEMES).map(([theme, { label }]) => this.themeChoice(theme, label)));
    this.listen();
  }

  themeChoice(theme, label) {
    const choose = () => this.state.setTheme(theme);
    const radio = element("input", { type: "radio", name: "theme", value: theme, change: choose });
    const swatch = element("span.swatch", { "aria-hidden": "true" }, element("i"), element("b"), element("i"));
    return element("label.choice", { "data-swatch": theme }, radio, swatch, element("span", {}, label));
  }

  listen() {
    for (const [field, input] of Object.entries(this.fields)) {
      input.addEventListener("input", () => this.state.setParticipant({ [field]: input.value }));
    }
    this.composer.addEventListener("submit", (event) => this.submit(event));
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.composer.requestSubmit();
    });
  }

  submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    if (text) {
      const author = new FormData(this.composer).get("author");
      this.state.add({ author, text, time: this.time.value });
      this.text.value = "";
    }
    this.text.focus();
  }

  show() {
    for (const radio of this.themes.querySelectorAll("input")) {
      radio.checked = radio.value === this.state.theme;
    }
    for (const [field, input] of Object.entries(this.fields)) {
      if (document.activeElement !== input) input.value = this.state.participant[field];
    }
    document.body.dataset.theme = this.state.theme;
    this.rows.show();
  }
}
