// What a picture of this page would show as text, and boxes over some of it. Runs in a world of its own, and is told
// which texts to cover by their numbers only: no secret ever gets into the page.
(() => {
  const SKIPPED = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD"]);
  const FRAMES = new Set(["IFRAME", "FRAME", "OBJECT", "EMBED"]);
  const MOST = 100000;
  let places = [];
  let host = null;

  function* below(node, x, y) {
    if (node.nodeType === Node.TEXT_NODE) {
      yield { text: node.data, node, x, y };
      return;
    }
    if (node.nodeType === Node.ELEMENT_NODE) {
      const name = node.tagName.toUpperCase();
      if (SKIPPED.has(name)) return;
      if (name === "INPUT" || name === "TEXTAREA") {
        yield { text: node.value || node.placeholder || "", node, x, y };
        return;
      }
      if (name === "SELECT") {
        yield { text: [...node.options].map((option) => option.text).join("\n"), node, x, y };
        return;
      }
      if (FRAMES.has(name)) {
        let inner = null;
        try {
          inner = node.contentDocument;
        } catch {
          inner = null;
        }
        if (inner === null) yield { text: null, node, x, y };
        else if (inner.documentElement) {
          const box = node.getBoundingClientRect();
          yield* below(inner.documentElement, x + box.left + node.clientLeft, y + box.top + node.clientTop);
        }
        return;
      }
      if (node.shadowRoot) for (const child of node.shadowRoot.childNodes) yield* below(child, x, y);
    }
    for (const child of node.childNodes) yield* below(child, x, y);
  }

  function boxes({ node, x, y }) {
    let shape = node;
    if (node.nodeType === Node.TEXT_NODE) {
      shape = node.ownerDocument.createRange();
      shape.selectNodeContents(node);
    }
    return [...shape.getClientRects()].map((box) => [box.left + x, box.top + y, box.width, box.height]);
  }

  function styled(element, facts) {
    element.style.setProperty("all", "initial", "important");
    for (const [name, value] of Object.entries(facts)) element.style.setProperty(name, value, "important");
    return element;
  }

  globalThis.postdeployVeil = {
    collect() {
      places = [];
      for (const place of below(document.documentElement, 0, 0)) {
        places.push(place);
        if (places.length > MOST) return null;
      }
      return places.map((place) => place.text);
    },
    kept() {
      const pairs = [];
      for (const store of ["localStorage", "sessionStorage"])
        try {
          for (const [name, value] of Object.entries(globalThis[store])) pairs.push([name, String(value).slice(0, 65536)]);
        } catch {
          continue;
        }
      return pairs.slice(0, 200);
    },
    cover(numbers) {
      const whole = { position: "fixed", inset: "0", width: "100%", height: "100%", overflow: "hidden" };
      host = styled(document.createElement("div"), { ...whole, "pointer-events": "none", "z-index": "2147483647" });
      host.setAttribute("popover", "manual");
      for (const number of numbers)
        for (const [left, top, width, height] of boxes(places[number])) {
          const edges = { left: `${left - 3}px`, top: `${top - 3}px`, width: `${width + 6}px`, height: `${height + 6}px` };
          const box = { position: "absolute", display: "block", background: "#000", ...edges };
          host.appendChild(styled(document.createElement("div"), box));
        }
      document.documentElement.appendChild(host);
      if (host.showPopover) host.showPopover();
    },
    uncover() {
      host?.remove();
      host = null;
    },
  };
})();
