/** Turns the preview into a PNG file: the whole conversation, at twice the size. */
import { paint } from "./painter.js";

const WIDTH = 390;
const SCALE = 2;

export async function exportPng(screen, theme) {
  const whole = unrolled(screen);
  try {
    const blob = await encoded(paint(whole, SCALE));
    download(blob, `talkstudio-${theme}.png`);
  } finally {
    whole.remove();
  }
}

/** A copy of the screen that is as tall as the conversation, outside of what people see. */
function unrolled(screen) {
  const copy = screen.cloneNode(true);
  copy.removeAttribute("id");
  for (const node of [copy, ...copy.querySelectorAll("[data-testid]")]) node.removeAttribute("data-testid");
  copy.setAttribute("aria-hidden", "true");
  copy.classList.add("unrolled");
  copy.style.width = `${WIDTH}px`;
  document.body.append(copy);
  return copy;
}

function encoded(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the PNG could not be made"))), "image/png");
  });
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
