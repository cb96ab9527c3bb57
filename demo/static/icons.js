/** Line icons as inline SVG, so that the page and the PNG draw the same paths. */
const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  back: ["M15 5l-7 7 7 7"],
  search: ["M11 4a7 7 0 1 1 0 14a7 7 0 1 1 0-14z", "M16.200 16.200L21 21"],
  menu: ["M4 7h16", "M4 12h16", "M4 17h16"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  plus: ["M12 5v14", "M5 12h14"],
  smile: ["M12 3a9 9 0 1 1 0 18a9 9 0 1 1 0-18z", "M8.500 14.500c1.600 2.300 5.400 2.300 7 0", "M9 10h.01", "M15 10h.01"],
  hash: ["M9 4L7 20", "M17 4l-2 16", "M4 9h16", "M4 15h16"],
  phone: ["M6 3h3l2 5-2.500 1.500a11 11 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z"],
  video: ["M3 7h12v10H3z", "M15 11l6-3.500v9L15 13z"],
  clip: ["M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700L9.500 17a1.700 1.700 0 0 1-2.400-2.400L14.500 7"],
  mic: ["M12 3a3 3 0 0 1 3 3v6a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z", "M5.500 11.500a6.500 6.500 0 0 0 13 0", "M12 18v3"],
  camera: ["M4 8h3l2-3h6l2 3h3v11H4z", "M12 10a3.500 3.500 0 1 1 0 7a3.500 3.500 0 1 1 0-7z"],
  photo: ["M4 4h16v16H4z", "M4 16l5-5 5 5 2.500-2.500L20 17", "M15.500 8.500h.01"],
  gift: ["M4 10h16v10H4z", "M3 6.500h18V10H3z", "M12 6.500V20", "M12 6.500C9 1 5 5 12 6.500C19 5 15 1 12 6.500z"],
  checks: ["M2 12.500l4.500 4.500L15 8", "M10.500 16l1 1L20 8"],
  battery: ["M3 8h15v8H3z", "M21 11v2", "M5.500 10.500h8v3h-8z"],
  signal: ["M4 17v-2", "M9 17v-5", "M14 17V9", "M19 17V6"],
};

function svg(className, box, paths) {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("class", className);
  node.setAttribute("viewBox", box);
  node.setAttribute("aria-hidden", "true");
  for (const d of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    node.append(path);
  }
  return node;
}

export function icon(name) {
  return svg(`icon icon-${name}`, "0 0 24 24", PATHS[name]);
}

/** The tail of a bubble, pointing left; the style sheet mirrors it for "me" by another path. */
export function tail(theme, author) {
  const shapes = {
    kakao: { me: "M0 0C2 4 6 4 9 2C8 8 4 12 0 12z", them: "M9 0C7 4 3 4 0 2C1 8 5 12 9 12z" },
    telegram: { me: "M0 0v14h9C4 12 1 7 0 0z", them: "M9 0v14H0C5 12 8 7 9 0z" },
  };
  return svg("tail", "0 0 9 14", [shapes[theme][author]]);
}
