"""Where releases run: two slots behind one front, and what a deployer may do about them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from demo.cluster.slots import Refused, Slots

ROOT = Path(__file__).parents[2]


class Cluster:
    """One running `python -m demo.cluster`, and its deployer."""

    def __init__(self, *faults: str) -> None:
        broken = [word for fault in faults for word in ("--fault", fault)]
        command = [sys.executable, "-m", "demo.cluster", *broken]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url, self.canary = self.process.stdout.readline().split()[-2:]
        self.client = httpx2.Client(trust_env=False, timeout=10)

    def deployer(self, *words: str, share: str = "100") -> subprocess.CompletedProcess[str]:
        """Start the deployer as deploy/deploy.sh does."""
        action, release, *more = words
        environment = os.environ | {"CLUSTER": self.url, "SHARE": share}
        command = [str(ROOT / "demo/cluster/deployer"), action, "demo", release, *more]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)

    def released(self, release: str) -> None:
        """Put a release there for good."""
        for action in ("deploy", "shift", "promote"):
            done = self.deployer(action, release)
            assert done.returncode == 0, done.stderr

    def state(self) -> Any:
        """What the cluster says of itself."""
        return self.client.get(f"{self.url}/_cluster/").json()

    def shares(self) -> dict[str, int]:
        """Releases and their percentages."""
        return {slot["release"]: slot["percent"] for slot in self.state()["slots"].values()}

    def stop(self) -> None:
        """End it."""
        self.client.close()
        self.process.terminate()
        self.process.communicate(timeout=10)


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    """One cluster for all tests, where r-slow is slow and r-bad is broken."""
    cluster = Cluster("slow-api=400@r-slow", "api-500@r-bad", "reset@r-bad", "websocket-refused@r-bad")
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(running: Cluster) -> Cluster:
    """The cluster with r-good stable and serving."""
    running.deployer("promote", "r-good")
    if "r-good" not in running.shares():
        running.released("r-good")
    return running


def slots(stable: str, other: str) -> Slots:
    """Two releases, the first one stable and serving."""
    made = Slots()
    made.blue.release, made.green.release = stable, other
    made.promote(stable)
    return made


def test_shares_are_exact() -> None:
    """Of a hundred requests, a quarter goes to the canary, one in four, not by chance."""
    made = slots("old", "new")
    made.share("new", 25)
    chosen = [made.choose().release for _ in range(100)]
    assert chosen.count("new") == 25
    assert chosen[:4] == ["old", "old", "old", "new"]


def test_a_slot_with_traffic_is_not_replaced() -> None:
    """A canary that is on hold keeps its slot until somebody decides about it."""
    made = slots("old", "new")
    made.share("new", 25)
    with pytest.raises(Refused, match="new still has 25 %"):
        made.to_replace()


def test_a_rollback_goes_back_only_from_where_traffic_is() -> None:
    """Done twice it is done; where another release has been promoted since, it is refused."""
    made = slots("old", "new")
    made.share("new", 100)
    made.go_back("new", "old")
    made.go_back("new", "old")
    assert (made.blue.percent, made.green.percent) == (100, 0)
    made.promote("new")
    made.green.release = "newer"
    with pytest.raises(Refused, match="new does not run here"):
        made.go_back("new", "old")


def test_what_does_not_run_gets_no_traffic() -> None:
    """A release that is not there, and a share of which nobody could get the rest, are refused."""
    made = Slots()
    made.blue.release = "only"
    for release, percent in (("none", 100), ("", 100), ("only", 25), ("only", 101)):
        with pytest.raises(Refused):
            made.share(release, percent)


def test_the_deployer_tells_why_it_was_refused(cluster: Cluster) -> None:
    """Its exit status and one sentence say what is wrong; nothing changed."""
    before = cluster.shares()
    done = cluster.deployer("shift", "nonesuch")
    assert (done.returncode, done.stderr) == (1, "deployer: nonesuch does not run here\n")
    assert cluster.shares() == before


def test_both_addresses_answer(cluster: Cluster) -> None:
    """Traffic comes to the stable release; the canary's address asks the new one alone, whatever its share."""
    assert cluster.deployer("deploy", "r-next").returncode == 0
    answers = [cluster.client.get(f"{url}/build-info.json") for url in (cluster.url, cluster.canary)]
    assert [answer.json()["commit"] for answer in answers] == ["r-good", "r-next"]
    assert [answer.headers["x-served-by"] for answer in answers] == ["r-good", "r-next"]
    assert answers[0].json()["environment"] == "production"
    assert cluster.deployer("previous", "r-next").stdout == "r-good\n"


def test_the_front_says_whose_fault_it_is(cluster: Cluster) -> None:
    """A release that cuts its connections is a 502 with its name; the front itself goes on."""
    assert cluster.deployer("deploy", "r-bad").returncode == 0
    answer = cluster.client.get(f"{cluster.canary}/api/v1/agents")
    assert (answer.status_code, answer.headers["x-served-by"]) == (502, "r-bad")
    assert cluster.client.get(f"{cluster.url}/api/v1/agents").status_code == 200


def test_websockets_go_through(cluster: Cluster) -> None:
    """A message goes in and an answer comes out; a handshake that is refused stays refused."""
    way = cluster.url.replace("http", "ws")
    with connect(f"{way}/ws/chat/one", proxy=None) as chat:
        assert "welcome" in str(chat.recv(timeout=5))
        chat.send('{"type": "ping"}')
        assert "pong" in str(chat.recv(timeout=5))
    assert cluster.deployer("deploy", "r-bad").returncode == 0
    with pytest.raises(InvalidStatus), connect(f"{cluster.canary.replace('http', 'ws')}/ws/chat/one", proxy=None):
        pass


def test_no_request_is_lost_where_a_release_is_replaced(cluster: Cluster) -> None:
    """A release is ended only after the last request that it was given is answered."""
    assert cluster.deployer("deploy", "r-slow").returncode == 0
    assert cluster.deployer("shift", "r-slow").returncode == 0
    statuses: list[int] = []
    asking = threading.Thread(target=lambda: statuses.append(httpx2.get(f"{cluster.url}/api/v1/agents").status_code))
    asking.start()
    time.sleep(0.15)  # until it is in flight
    assert cluster.deployer("rollback", "r-slow", "r-good").returncode == 0
    assert cluster.deployer("deploy", "r-after").returncode == 0
    asking.join()
    assert statuses == [200]
    assert set(cluster.shares()) == {"r-good", "r-after"}


@pytest.mark.parametrize("fault", ["api-500", "api-50@r", "self-signed@r"])
def test_a_fault_that_cannot_be_is_refused(fault: str) -> None:
    """A wrong fault is told before anything starts."""
    command = [sys.executable, "-m", "demo.cluster", "--fault", fault]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 2
    assert "fault" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_behind(number: signal.Signals) -> None:
    """Whoever ends the cluster has ended its releases."""
    cluster = Cluster()
    cluster.released("r-one")
    inner = cluster.state()["slots"]["blue"]["url"]
    assert httpx2.get(f"{inner}/healthz", trust_env=False).status_code == 200
    cluster.process.send_signal(number)
    cluster.stop()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{inner}/healthz", trust_env=False)
