// On a read-only target: no way to send that a route does not see. A request that may outlive its page becomes an
// ordinary one, which the route refuses and tells of; what a shared worker sends nobody could see, so there is none.
(() => {
  const fetch = window.fetch;
  const plain = (init) => (init && init.keepalive ? { ...init, keepalive: false } : init);
  window.fetch = function (input, init) {
    const request = input instanceof Request && input.keepalive ? new Request(input, { keepalive: false }) : input;
    return fetch.call(this, request, plain(init));
  };
  Navigator.prototype.sendBeacon = function (url, data) {
    fetch(url, { method: "POST", body: data, mode: "no-cors", credentials: "include" }).catch(() => undefined);
    return true;
  };
  for (const name of ["SharedWorker", "RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"]) {
    delete window[name];
  }
})();
