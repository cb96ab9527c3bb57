/** What the four messengers call themselves and what they show around the messages. */
export const THEMES = {
  kakao: { label: "KakaoTalk", avatar: "each", names: true, back: true, headAvatar: false, tails: true },
  discord: { label: "Discord", avatar: "each", names: true, back: true, headAvatar: true, tails: false },
  telegram: { label: "Telegram", avatar: "none", names: false, back: true, headAvatar: true, tails: true },
  instagram: { label: "Instagram", avatar: "last", names: false, back: true, headAvatar: true, tails: false },
};

/** "15:04" → "오후 3:04", as Korean messengers write it. */
export function koreanTime(time) {
  const [hours, minutes] = time.split(":").map(Number);
  const half = hours < 12 ? "오전" : "오후";
  return `${half} ${hours % 12 || 12}:${String(minutes).padStart(2, "0")}`;
}
