/** The conversation that is edited; kept in this browser. */
import { THEMES } from "./themes.js";

const KEY = "talkstudio.conversation.v1";

const EXAMPLE = [
  { author: "them", text: "오늘 배포한 거 봤어?", time: "15:02" },
  { author: "them", text: "미리보기 진짜 똑같더라", time: "15:02" },
  { author: "me", text: "벌써 써 봤구나!", time: "15:03" },
  { author: "me", text: "테마 네 개 다 눌러 봐. 말풍선 꼬리까지 신경 썼어", time: "15:04" },
  { author: "them", text: "PNG로 저장해서 발표 자료에 바로 넣었어. 다들 캡처인 줄 알던데?", time: "15:06" },
  { author: "me", text: "그럼 성공이네", time: "15:07" },
];

const FIELDS = ["theme", "participant", "messages"];

function example() {
  return {
    theme: "kakao",
    participant: { name: "민지", presence: "지금 활동 중", color: "#f2a65a" },
    messages: EXAMPLE.map((message, index) => ({ id: index + 1, ...message })),
  };
}

function isConversation(value) {
  return Boolean(value) && value.theme in THEMES && Array.isArray(value.messages) && Boolean(value.participant);
}

function stored() {
  try {
    const value = JSON.parse(localStorage.getItem(KEY));
    return isConversation(value) ? value : null;
  } catch {
    return null;
  }
}

export class Conversation {
  constructor() {
    Object.assign(this, example(), stored());
    this.listeners = [];
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  setTheme(theme) {
    this.theme = theme;
    this.changed();
  }

  setParticipant(changes) {
    const { name, presence, color } = { ...this.participant, ...changes };
    this.participant = { name, presence, color };
    this.changed();
  }

  add(message) {
    const id = 1 + Math.max(0, ...this.messages.map((one) => one.id));
    this.messages.push({ id, ...message });
    this.changed();
  }

  edit(id, changes) {
    this.messages = this.messages.map((one) => (one.id === id ? { ...one, ...changes } : one));
    this.changed();
  }

  remove(id) {
    this.messages = this.messages.filter((one) => one.id !== id);
    this.changed();
  }

  move(id, by) {
    const from = this.messages.findIndex((one) => one.id === id);
    const to = from + by;
    if (to < 0 || to >= this.messages.length) return;
    const [message] = this.messages.splice(from, 1);
    this.messages.splice(to, 0, message);
    this.changed();
  }

  reset() {
    Object.assign(this, { ...example(), theme: this.theme, messages: [] });
    this.changed();
  }

  changed() {
    this.save();
    for (const listener of this.listeners) listener();
  }

  save() {
    const kept = Object.fromEntries(FIELDS.map((field) => [field, this[field]]));
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // A browser without storage still edits; it only forgets.
    }
  }
}
