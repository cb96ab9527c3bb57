/** The list of messages on the desk, each editable in its place. */
import { element } from "./dom.js";

function button(label, click, more = {}) {
  return element("button.small", { type: "button", click, ...more }, label);
}

export class Rows {
  constructor(list, state) {
    this.list = list;
    this.state = state;
    this.editing = null;
  }

  show() {
    const { messages } = this.state;
    const rows = messages.map((message, index) =>
      message.id === this.editing ? this.form(message) : this.row(message, index, messages.length));
    const empty = element("li.empty", {}, "아직 비어 있어요. 첫 줄을 적어 보세요.");
    this.list.replaceChildren(...(rows.length ? rows : [empty]));
  }

  row(message, index, count) {
    const said = `said-${message.id}`;
    const about = { "aria-describedby": said };
    const who = message.author === "me" ? "나" : this.state.participant.name;
    return element(
      `li.row.${message.author}`,
      { "data-testid": "row" },
      element("div.said", {}, element("span.who", {}, who), element("time", {}, message.time),
        element("p", { id: said }, message.text)),
      element("div.tools", {},
        this.mover(message, -1, "위로", "↑", { ...about, disabled: index === 0 }),
        this.mover(message, 1, "아래로", "↓", { ...about, disabled: index === count - 1 }),
        button("수정", () => this.edit(message.id), about),
        button("삭제", () => this.remove(message.id, index), about)),
    );
  }

  mover(message, by, label, arrow, more) {
    const move = () => {
      this.state.move(message.id, by);
      this.focus(message.id, `[aria-label="${label}"]:enabled`);
    };
    return button(arrow, move, { "aria-label": label, "data-id": message.id, ...more });
  }

  form(message) {
    const text = element("textarea", { "aria-label": "내용 고치기", rows: 2, maxlength: 500 });
    text.value = message.text;
    const author = element("select", { "aria-label": "보낸 사람 바꾸기" },
      element("option", { value: "me", selected: message.author === "me" }, "나"),
      element("option", { value: "them", selected: message.author === "them" }, "상대"));
    const time = element("input", { type: "time", "aria-label": "시간 바꾸기", value: message.time, required: true });
    const save = (event) => {
      event.preventDefault();
      if (!text.value.trim()) return;
      this.close();
      this.state.edit(message.id, { text: text.value.trim(), author: author.value, time: time.value });
    };
    const keys = (event) => {
      if (event.key === "Escape") this.cancel();
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === text) save(event);
    };
    return element("li.row.open", { "data-testid": "row" },
      element("form", { submit: save, keydown: keys },
        text,
        element("div.tools", {}, author, time,
          element("button.small.strong", { type: "submit" }, "완료"),
          button("취소", () => this.cancel()))));
  }

  edit(id) {
    this.editing = id;
    this.show();
    this.list.querySelector("textarea").focus();
  }

  remove(id, index) {
    this.state.remove(id);
    const tools = this.list.querySelectorAll(".tools");
    tools[Math.min(index, tools.length - 1)]?.lastElementChild.focus();
  }

  close() {
    this.editing = null;
  }

  cancel() {
    this.close();
    this.show();
  }

  focus(id, selector) {
    this.list.querySelector(`[data-id="${id}"]${selector}`)?.focus();
  }
}
