"""A store of things behind the fault server, and a hand that kills the run at a given request."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.server import Answer, FaultServer, Seen

__all__ = ["SUITE", "TESTS", "Store"]

SUITE = """
- name: a thing that the target names
  severity: major
  steps:
    - post: api:/things
      auth: bearer ${secrets.token}
      json: {mark: "${unique}"}
      expect: {status: 201}
      save: {id: $.id}
    - get: api:/things/${id}
      expect: {status: 200}
  finally:
    - get: api:/things?mark=${unique}
      expect: {status: 200}
      save: {id: "$.found[0]"}
    - delete: api:/things/${id}
      auth: bearer ${secrets.token}
      expect: {status: 204}
- name: a thing that we name
  steps:
    - put: api:/things/own-${unique}
      json: {}
      expect: {status: 201}
  finally:
    - delete: api:/things/own-${unique}
      expect: {status: 204}
"""

TESTS = """
@pytest.mark.writes
def test_a_thing(api, undo):
    mark = "test-" + __import__("uuid").uuid4().hex
    undo("DELETE api:/things/${mark}", auth="bearer ${secrets.token}", mark=mark)
    assert api.put(f"/things/{mark}").status_code == 201
    assert api.get(f"/things/{mark}").status_code == 200
"""


@dataclass
class Store:
    """What was created and is still there; ``kill_at`` is the number of the request at which the run is killed.

    An even number kills before the request has its effect, an odd one after it and before the answer.
    """

    server: FaultServer
    things: dict[str, str] = field(default_factory=dict)
    created: int = 0
    count: int = 0
    kill_at: int | None = None
    victim: int | None = None

    def serve(self) -> None:
        """Answer every path below /things."""
        self.server.on("/things", self._answer)
        self.server.fallback = self._answer

    def _answer(self, seen: Seen) -> Answer:
        number, self.count = self.count, self.count + 1
        self._kill(2 * number)
        answer = self._effect(seen)
        self._kill(2 * number + 1)
        return answer

    def _kill(self, moment: int) -> None:
        if moment == self.kill_at and self.victim is not None:
            os.killpg(self.victim, signal.SIGKILL)

    def _effect(self, seen: Seen) -> Answer:
        path, _, query = seen.path.partition("?")
        name = path.removeprefix("/things").strip("/")
        handler: Callable[[str, str, Seen], Answer] = {
            "POST": self._post,
            "PUT": self._put,
            "DELETE": self._delete,
        }.get(seen.method, self._get)
        return handler(name, query, seen)

    def _post(self, _name: str, _query: str, seen: Seen) -> Answer:
        self.created += 1
        name = f"n{self.created}"
        self.things[name] = json.loads(seen.body)["mark"]
        return Answer(201, json.dumps({"id": name}).encode())

    def _put(self, name: str, _query: str, _seen: Seen) -> Answer:
        self.things[name] = name
        return Answer(201)

    def _delete(self, name: str, _query: str, _seen: Seen) -> Answer:
        return Answer(204 if self.things.pop(name, None) is not None else 404, b"")

    def _get(self, name: str, query: str, _seen: Seen) -> Answer:
        if query.startswith("mark="):
            found = [key for key, mark in self.things.items() if mark == query.removeprefix("mark=")]
            return Answer(body=json.dumps({"found": found}).encode())
        return Answer(200 if not name or name in self.things else 404)
