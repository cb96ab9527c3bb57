/** Paints laid-out elements on a canvas: boxes, gradients, icons and text, as the browser placed them. */

export function paint(root, scale) {
  const area = root.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(area.width * scale);
  canvas.height = Math.round(area.height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.translate(-area.left, -area.top);
  paintElement(context, root);
  return canvas;
}

function paintElement(context, node) {
  const style = getComputedStyle(node);
  if (style.display === "none" || style.visibility === "hidden") return;
  const box = node.getBoundingClientRect();
  paintBox(context, box, style);
  if (node instanceof SVGSVGElement) {
    paintIcon(context, node, box, style);
    return;
  }
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) paintText(context, child, style);
    else if (child.nodeType === Node.ELEMENT_NODE) paintElement(context, child);
  }
}

function paintBox(context, box, style) {
  if (!box.width || !box.height) return;
  const path = new Path2D();
  const corners = ["TopLeft", "TopRight", "BottomRight", "BottomLeft"];
  const half = Math.min(box.width, box.height) / 2;
  const radius = (text) => Math.min(half, text.endsWith("%") ? half * 2 * parseFloat(text) / 100 : parseFloat(text));
  path.roundRect(box.left, box.top, box.width, box.height, corners.map((corner) => radius(style[`border${corner}Radius`])));
  context.fillStyle = style.backgroundColor;
  context.fill(path);
  if (style.backgroundImage.startsWith("linear-gradient")) {
    context.fillStyle = gradient(context, box, style.backgroundImage);
    context.fill(path);
  }
  paintLines(context, box, style);
}

function paintLines(context, box, style) {
  const lines = { Top: [box.left, box.top, box.width, 0], Bottom: [box.left, box.bottom, box.width, -1] };
  for (const [side, [x, y, width, direction]] of Object.entries(lines)) {
    const size = parseFloat(style[`border${side}Width`]);
    if (!size) continue;
    context.fillStyle = style[`border${side}Color`];
    context.fillRect(x, y + direction * size, width, size);
  }
}

/** The CSS gradient line for an angle, with evenly spread colours where no place is given. */
function gradient(context, box, text) {
  const angle = (parseFloat(/(-?[\d.]+)deg/.exec(text)?.[1] ?? "180") * Math.PI) / 180;
  const [x, y] = [Math.sin(angle), -Math.cos(angle)];
  const half = (Math.abs(box.width * x) + Math.abs(box.height * y)) / 2;
  const [cx, cy] = [box.left + box.width / 2, box.top + box.height / 2];
  const line = context.createLinearGradient(cx - x * half, cy - y * half, cx + x * half, cy + y * half);
  const stops = [...text.matchAll(/(rgba?\([^)]*\))(?:\s+([\d.]+)%)?/g)];
  stops.forEach(([, color, place], index) => {
    line.addColorStop(place ? Number(place) / 100 : index / Math.max(1, stops.length - 1), color);
  });
  return line;
}

function paintIcon(context, node, box, style) {
  const view = node.viewBox.baseVal;
  const padding = parseFloat(style.paddingLeft);
  context.save();
  context.translate(box.left + padding, box.top + padding);
  context.scale((box.width - 2 * padding) / view.width, (box.height - 2 * padding) / view.height);
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = parseFloat(style.strokeWidth) || 1;
  for (const shape of node.querySelectorAll("path")) {
    const path = new Path2D(shape.getAttribute("d"));
    if (style.fill !== "none") fillPath(context, path, style.fill);
    if (style.stroke !== "none") strokePath(context, path, style.stroke);
  }
  context.restore();
}

function fillPath(context, path, color) {
  context.fillStyle = color;
  context.fill(path);
}

function strokePath(context, path, color) {
  context.strokeStyle = color;
  context.stroke(path);
}

function paintText(context, node, style) {
  if (!node.data.trim()) return;
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.letterSpacing = style.letterSpacing === "normal" ? "0px" : style.letterSpacing;
  context.fillStyle = style.color;
  context.textBaseline = "alphabetic";
  for (const { text, rect } of lines(node)) {
    const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = context.measureText(text);
    context.fillText(text, rect.left, rect.top + (rect.height - ascent - descent) / 2 + ascent);
  }
}

/** The pieces of a text node, one for each line on which the browser broke it. */
function lines(node) {
  const range = document.createRange();
  const pieces = [];
  let offset = 0;
  for (const letter of node.data) {
    range.setStart(node, offset);
    range.setEnd(node, offset + letter.length);
    offset += letter.length;
    const rect = range.getClientRects()[0];
    if (!rect || !rect.width) continue;
    const piece = pieces.at(-1);
    if (piece && Math.abs(piece.rect.top - rect.top) < rect.height / 2) piece.text += letter;
    else pieces.push({ text: letter, rect });
  }
  return pieces;
}
