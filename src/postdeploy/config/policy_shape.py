"""The keys of a policy in targets.yaml."""

from __future__ import annotations

from typing import Any, Final

from postdeploy.config.node import Node, seen
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Shape, Type, list_of
from postdeploy.config.values import DURATION, VANTAGE, choice, count, read_line
from postdeploy.domain.policy import OnFailure, OnMaintenance, OnRegional, Quorum, Severity

__all__ = ["POLICY"]


def _read_inconclusive(node: Node, _scope: Scope) -> str:
    if node.value != "hold":
        reason = "what could not be told is never rolled back nor promoted"
        raise Wrong(f"takes 'hold', not {seen(node)}", reason)
    return "hold"


def _read_quorum(node: Node, _scope: Scope) -> Quorum:
    try:
        return Quorum.parse(read_line(node))
    except ValueError as error:
        raise Wrong(f"takes how many of how many vantages, not {seen(node)}", "such as 2 of 3") from error


def _read_policy(node: Node, scope: Scope) -> dict[str, Any]:
    found = _POLICY.read(node, scope)
    names, quorum = found.get("vantages", ()), found.get("quorum")
    if len(set(names)) != len(names):
        raise Wrong("names one vantage twice", "each place once")
    if names and quorum and quorum.of != len(names):
        raise Wrong(f"has a quorum of {quorum} and names {len(names)} vantages", "they are to be equally many")
    return found


_ACTIONS: Final = Shape(
    {
        Severity.CRITICAL.value: Field(
            choice(("rollback", "hold")), "What a confirmed failure of a critical check asks for. Default: rollback."
        ),
        Severity.MAJOR.value: Field(choice(OnFailure), "The same for a major check. Default: hold."),
        Severity.MINOR.value: Field(choice(OnFailure), "The same for a minor check. Default: warn."),
    }
)
_CONFIRM: Final = Shape(
    {
        "attempts": Field(count(1, 10), "How many failing attempts confirm a failure. Default: 2."),
        "spacing": Field(DURATION, "The time between them. Default: 1s."),
    }
)
_POLICY: Final = Shape(
    {
        "deadline": Field(DURATION, "How long the whole run may take. Default: 5m."),
        "on_inconclusive": Field(
            Type(_read_inconclusive, {"const": "hold"}),
            "Always hold: what could not be told is never rolled back nor promoted.",
        ),
        "on_maintenance": Field(
            choice(OnMaintenance), "What a service in maintenance is: a failure, or a reason to hold. Default: fail."
        ),
        "confirm": Field(_CONFIRM.type, "When a failure counts."),
        "vantages": Field(list_of(VANTAGE), "The names of the places that 'postdeploy vantages' makes its runs from."),
        "quorum": Field(
            Type(_read_quorum, {"type": "string", "pattern": "^[0-9]{1,3} of [0-9]{1,3}$"}),
            "At how many of them a check must fail to have failed, such as 2 of 3. Default: at more than half.",
        ),
        "on_regional": Field(
            choice(OnRegional), "What a check asks for that fails at fewer of them: hold or warn. Default: hold."
        ),
        "flaky": Field(count(0, 10_000), "How many checks may pass only on a later attempt. Default: 3."),
        "actions": Field(_ACTIONS.type, "What a confirmed failure of each severity asks for."),
    }
)
POLICY: Final = Type(_read_policy, _POLICY.schema)
