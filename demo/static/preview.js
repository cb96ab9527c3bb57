/** Draws the conversation as the chosen messenger would. */
import { element } from "./dom.js";
import { icon, tail } from "./icons.js";
import { THEMES, koreanTime } from "./themes.js";

const LONG = { year: "numeric", month: "long", day: "numeric", weekday: "long" };
const SHORT = { month: "long", day: "numeric" };

const HEADS = {
  kakao: ["search", "menu"],
  discord: ["phone", "video"],
  telegram: ["phone", "more"],
  instagram: ["phone", "video"],
};

const FEET = {
  kakao: { before: ["plus"], hint: "", inside: ["smile"], after: ["hash"] },
  discord: { before: ["plus"], hint: (name) => `@${name}에게 보내기`, inside: ["smile"], after: ["gift"] },
  telegram: { before: ["clip"], hint: "메시지", inside: ["smile"], after: ["mic"] },
  instagram: { before: ["camera"], hint: "메시지 보내기…", inside: ["mic", "photo", "smile"], after: [] },
};

export class Preview {
  constructor(screen) {
    this.screen = screen;
  }

  show(state) {
    const { theme, participant, messages } = state;
    this.screen.dataset.theme = theme;
    this.screen.replaceChildren(
      statusBar(messages), head(theme, participant), thread(theme, participant, messages), foot(theme, participant));
    const list = this.screen.querySelector(".thread");
    list.scrollTop = list.scrollHeight;
  }
}

function statusBar(messages) {
  const time = messages.at(-1)?.time ?? "09:41";
  const clock = time.replace(/^0/, "");
  return element("div.statusbar", { "aria-hidden": "true" },
    element("span", {}, clock), element("span.signs", {}, icon("signal"), icon("battery")));
}

function head(theme, participant) {
  const { headAvatar } = THEMES[theme];
  const presence = theme === "kakao" ? null : element("span.presence", {}, participant.presence);
  return element("div.head", {},
    icon("back"),
    headAvatar ? avatar(participant) : null,
    element("div.title", {}, element("strong", {}, participant.name || "이름 없음"), presence),
    element("div.actions", {}, ...HEADS[theme].map(icon)));
}

function avatar(participant, className = "span.avatar") {
  const letter = [...(participant.name || "?").trim()].at(0) ?? "?";
  const face = element("span.face", {}, letter);
  face.style.backgroundColor = participant.color;
  return element(className, { "aria-hidden": "true" }, face);
}

function thread(theme, participant, messages) {
  const list = element("ol.thread", { tabindex: "0", "aria-label": "대화 미리보기" });
  list.append(dayLine(theme, messages));
  messages.forEach((message, index) => {
    const before = messages[index - 1];
    const after = messages[index + 1];
    const first = !before || before.author !== message.author || (theme !== "instagram" && before.time !== message.time);
    const last = !after || after.author !== message.author || (theme !== "instagram" && after.time !== message.time);
    list.append(turn(theme, participant, message, first, last));
  });
  return list;
}

function dayLine(theme, messages) {
  const time = messages[0] ? koreanTime(messages[0].time) : "오전 9:41";
  const date = new Date().toLocaleDateString("ko-KR", theme === "telegram" ? SHORT : LONG);
  const text = theme === "instagram" ? `오늘 ${time}` : date;
  return element("li.day", {}, element("span", {}, text));
}

function turn(theme, participant, message, first, last) {
  const row = element(`li.turn.${message.author}`, { "data-first": `${first}`, "data-last": `${last}` });
  const parts = theme === "discord"
    ? discordTurn(participant, message, first)
    : bubbleTurn(theme, participant, message, first, last);
  row.append(...parts.filter(Boolean));
  return row;
}

function discordTurn(participant, message, first) {
  const mine = message.author === "me";
  const person = mine ? { name: "나", color: "#5865f2" } : participant;
  const side = first ? avatar(person) : element("span.avatar", {});
  const line = element("div.line", {},
    element("strong.name", {}, person.name), element("time", {}, `오늘 ${koreanTime(message.time)}`));
  return [side, element("div.column", {}, first ? line : null, said(message))];
}

function bubbleTurn(theme, participant, message, first, last) {
  const mine = message.author === "me";
  const { avatar: when, names, tails } = THEMES[theme];
  const time = element("time", {}, theme === "kakao" ? koreanTime(message.time) : message.time);
  const shown = when === "each" ? first : last;
  const side = mine || when === "none" ? null : shown ? avatar(participant) : element("span.avatar", {});
  const pointed = tails && (theme === "kakao" ? first : last) ? tail(theme, message.author) : null;
  const inside = theme === "telegram" ? [element("span.meta", {}, time, mine ? icon("checks") : null)] : [];
  const bubble = element("div.bubble", {}, said(message), ...inside, pointed);
  const beside = theme === "kakao" && last ? time : null;
  const name = names && first && !mine ? element("strong.name", {}, participant.name) : null;
  return [side, element("div.column", {}, name, element("div.line", {}, bubble, beside))];
}

function said(message) {
  return element("p.said", { "data-testid": "bubble", "data-author": message.author }, message.text);
}

function foot(theme, participant) {
  const { before, hint, inside, after } = FEET[theme];
  const text = typeof hint === "function" ? hint(participant.name) : hint;
  const pill = element("div.pill", {}, element("span", {}, text), ...inside.map(icon));
  if (theme === "instagram") {
    pill.prepend(...before.map(icon));
    return element("div.foot", { "aria-hidden": "true" }, pill);
  }
  return element("div.foot", { "aria-hidden": "true" }, ...before.map(icon), pill, ...after.map(icon));
}
