// A WebSocket that asks before it connects: the requests of sockets cannot be stopped by the protocol itself.
//
// Until the answer comes it is CONNECTING, as every socket is for a while; a refused one closes with code 1008.
(() => {
  const ask = globalThis.BINDING;
  const Native = globalThis.WebSocket;
  if (!ask || !Native || Native.guarded) return;
  const waiting = new Map();
  const EVENTS = ["open", "message", "error", "close"];

  class WebSocket extends EventTarget {
    #url;
    #state = Native.CONNECTING;
    #binaryType = "blob";
    #socket = null;
    #handlers = {};

    constructor(url, protocols = []) {
      super();
      const address = new URL(url, document.baseURI);
      address.protocol = address.protocol.replace(/^http/, "ws");
      if (!/^wss?:$/.test(address.protocol) || address.hash)
        throw new DOMException(`Failed to construct 'WebSocket': The URL '${url}' is not valid.`, "SyntaxError");
      this.#url = address.href;
      const id = `${Math.random()}`;
      waiting.set(id, (permitted) => (permitted ? this.#connect(protocols) : this.#end(1008, "refused")));
      ask(JSON.stringify({ id, url: this.#url }));
    }

    #connect(protocols) {
      if (this.#state !== Native.CONNECTING) return;
      try {
        this.#socket = new Native(this.#url, protocols);
      } catch {
        this.#fail();
        return;
      }
      this.#socket.binaryType = this.#binaryType;
      for (const name of EVENTS)
        this.#socket.addEventListener(name, (event) => this.dispatchEvent(new event.constructor(name, event)));
    }
    #fail() {
      this.dispatchEvent(new Event("error"));
      this.#end(1006, "");
    }
    #end(code, reason) {
      if (this.#state === Native.CLOSED) return;
      this.#state = Native.CLOSED;
      this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean: code === 1008 }));
    }

    send(data) {
      if (this.#socket) this.#socket.send(data);
      else if (this.#state === Native.CONNECTING)
        throw new DOMException("Failed to execute 'send' on 'WebSocket': Still in CONNECTING state.", "InvalidStateError");
    }
    close(code, reason) {
      if (this.#socket) this.#socket.close(...[code, reason].filter((part) => part !== undefined));
      else if (this.#state === Native.CONNECTING) {
        this.#state = Native.CLOSING;
        setTimeout(() => this.#fail());
      }
    }
    get url() { return this.#url; }
    get readyState() { return this.#socket ? this.#socket.readyState : this.#state; }
    get bufferedAmount() { return this.#socket?.bufferedAmount ?? 0; }
    get extensions() { return this.#socket?.extensions ?? ""; }
    get protocol() { return this.#socket?.protocol ?? ""; }
    get binaryType() { return this.#socket?.binaryType ?? this.#binaryType; }
    set binaryType(value) {
      if (this.#socket) this.#socket.binaryType = value;
      else if (value === "blob" || value === "arraybuffer") this.#binaryType = value;
    }
    handler(name, value) {
      if (value === undefined) return this.#handlers[name] ?? null;
      this.removeEventListener(name, this.#handlers[name]);
      this.#handlers[name] = typeof value === "function" ? value : null;
      this.addEventListener(name, this.#handlers[name]);
    }
  }
  const { handler } = WebSocket.prototype;
  delete WebSocket.prototype.handler;
  for (const name of EVENTS)
    Object.defineProperty(WebSocket.prototype, `on${name}`, {
      get() { return handler.call(this, name); },
      set(value) { handler.call(this, name, value ?? null); },
      configurable: true,
      enumerable: true,
    });
  for (const [value, name] of ["CONNECTING", "OPEN", "CLOSING", "CLOSED"].entries())
    for (const owner of [WebSocket, WebSocket.prototype]) Object.defineProperty(owner, name, { value, enumerable: true });
  Object.defineProperty(WebSocket, "guarded", { value: true });

  Object.defineProperty(globalThis, "BINDING", {
    value: (id, permitted) => {
      waiting.get(id)?.(permitted);
      waiting.delete(id);
    },
  });
  globalThis.WebSocket = WebSocket;
})();
