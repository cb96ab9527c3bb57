"""From evidence to a verdict: pure, in three stages, so that old evidence can be judged again under another policy."""

from __future__ import annotations

from postdeploy.domain.cause import find_causes
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.failure import judge_failure
from postdeploy.domain.mode import Mode, acting, mode_of
from postdeploy.domain.policy import Action, Policy
from postdeploy.domain.proof import judge_proof
from postdeploy.domain.relevance import judge_relevance
from postdeploy.domain.verdict import Verdict
from postdeploy.lazy_dataclass import replace

__all__ = ["decide"]


def decide(evidence: Evidence, policy: Policy | None = None) -> Verdict:
    """The verdict that follows from the evidence under a policy (its own unless another one is given)."""
    rules = policy or evidence.policy
    if evidence.vantages:
        from postdeploy.domain.quorum import judge_quorum

        return acting(judge_quorum(evidence, rules, _judge), evidence.run)
    return _alone(_judge(evidence, rules), evidence, rules)


def _alone(verdict: Verdict, evidence: Evidence, rules: Policy) -> Verdict:
    """A run of one place decides nothing where several are asked for: they are judged together, or not at all."""
    missing = [name for name in rules.vantages if name != evidence.run.get("vantage")]
    if not missing or verdict.action is Action.HOLD or mode_of(evidence.run) != Mode.GATE:
        return verdict
    text = f"{verdict.summary}; to decide it takes runs from {', '.join(missing)}, too, merged with this one"
    return replace(verdict, action=Action.HOLD, summary=text)


def _judge(evidence: Evidence, rules: Policy) -> Verdict:
    causes = find_causes(evidence)
    verdict = (
        judge_relevance(evidence, causes)
        or judge_failure(evidence, rules, causes)
        or judge_proof(evidence, rules, causes)
    )
    return acting(verdict, evidence.run)
