"""Turns a finished run into plain data for JSON. Ratings keep it and the command line writes it. Nothing is rounded."""

from dataclasses import asdict

from refiner.domain import Aggregate, Answer, CitationReward, Refinement, Reward, RubricReward, Verdict


def run_record(run: Refinement) -> dict[str, object]:
    """The request's fields and those of `result_fields`."""
    request = run.request
    return {
        "question": request.question,
        "draft": request.draft,
        "sources": [asdict(source) for source in request.sources],
        "criteria": [asdict(criterion) for criterion in request.criteria],
        **result_fields(run),
    }


def result_fields(run: Refinement) -> dict[str, object]:
    """The fields of a run's result. A score is None where nothing was scored."""
    return {
        "answer": run.answer.raw,
        **_text(run.answer),
        "reward": _reward(run.reward),
        "draft_reward": _reward(run.draft_reward),
        "model": run.model.name,
        "is_refiner": run.model.is_refiner,
        "judge": run.judge,
        "prompt_version": run.prompt_version,
        "form": run.form,
        "seed": run.seed,
        "trims": [asdict(trim) for trim in run.trims],
        "prompt_tokens": run.usage.prompt_tokens,
        "completion_tokens": run.usage.completion_tokens,
        "forward_passes": run.usage.forward_passes,
        "seconds": run.usage.seconds,
        "grammar_seconds": run.usage.grammar_seconds,
        "ended": run.usage.ended,
    }


def _text(answer: Answer) -> dict[str, object]:
    return {
        "text": answer.text,
        "claims": [{"text": claim.text, "ids": list(claim.ids)} for claim in answer.claims],
        "findings": [asdict(finding) for finding in answer.findings],
    }


def _reward(reward: Reward) -> dict[str, object]:
    return {
        "total": reward.total.value,
        "interval": [reward.total.lo, reward.total.hi],
        "coverage": reward.total.coverage,
        "basis": reward.basis,
        "mix": reward.mix,
        "reason": reward.reason,
        "rubric": _rubric(reward.rubric),
        "citation": _citation(reward.citation),
    }


def _rubric(rubric: RubricReward) -> dict[str, object]:
    return {
        **_aggregate(rubric.total),
        "criteria": [{**asdict(criterion), **_verdict(verdict)} for criterion, verdict in rubric.verdicts],
    }


def _citation(citation: CitationReward) -> dict[str, object]:
    return {
        "recall": _aggregate(citation.recall),
        "precision": _aggregate(citation.precision),
        "f1": _aggregate(citation.f1),
        "validity": citation.validity,
        "basis": citation.basis,
        "not_applicable": citation.not_applicable,
        "supports": [
            {
                "text": support.text,
                "ids": list(support.ids),
                **_verdict(support.verdict),
                "by_source": [_verdict(verdict) for verdict in support.by_source],
                "passages": [asdict(passage) for passage in support.passages],
            }
            for support in citation.supports
        ],
    }


def _aggregate(aggregate: Aggregate) -> dict[str, object]:
    return {
        "value": aggregate.value,
        "interval": [aggregate.lo, aggregate.hi],
        "coverage": aggregate.coverage,
        "n": aggregate.n,
    }


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "value": verdict.value,
        "basis": verdict.basis,
        "label": verdict.label,
        "reason": verdict.reason,
        "flags": list(verdict.flags),
        "confidence": verdict.confidence,
        "raw": verdict.raw,
        "judge": verdict.judge,
        "judge_version": verdict.version,
    }
