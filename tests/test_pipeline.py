"""The whole algorithm over a scripted engine, the tiny model and hostile texts."""

import threading
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refiner.domain import (
    Finished,
    GenerationProgress,
    JudgingProgress,
    Options,
    Prepared,
    Refinement,
    Request,
    Source,
    Stage,
)
from refiner.engines.local import LocalEngine
from refiner.engines.scripted import ScriptedEngine
from refiner.errors import EngineError, InputError
from refiner.judges.lexical.judge import LexicalJudge
from refiner.judges.logits import LogitsJudge
from refiner.pipeline import refine, request
from refiner.prompts.prompt_file import PromptTemplate
from refiner.render import result

JUDGE = LexicalJudge()
SOURCES = (
    Source("s1", "The sky is blue on a clear day. Air scatters blue light most."),
    Source("s2", "Water is wet."),
)
REQUEST = Request("Why is the sky blue?", "The sky is blue [s1]. It may be the air.", SOURCES)
ANSWER = "<answer><snippet id=s1>Air scatters blue light most.</snippet> So it seems blue.</answer>"


def finished(stages: list[Stage]) -> Refinement:
    assert isinstance(stages[-1], Finished)
    return stages[-1].refinement


def test_the_stages_come_in_order() -> None:
    stages = list(refine(REQUEST, ScriptedEngine([ANSWER]), JUDGE))
    assert [kind for kind, _ in groupby(map(type, stages))] == [
        Prepared,
        GenerationProgress,
        JudgingProgress,
        Finished,
    ]


def test_judging_tells_how_many_checks_have_come_back() -> None:
    stages = list(refine(REQUEST, ScriptedEngine([ANSWER]), JUDGE))
    progress = [(stage.done, stage.total) for stage in stages if isinstance(stage, JudgingProgress)]
    assert progress == [(done, progress[0][1]) for done in range(progress[0][1] + 1)]
    assert len(progress) > 10


def test_who_leaves_while_it_judges_frees_the_model_and_what_it_has_read(scorer: LocalEngine) -> None:
    running = refine(REQUEST, scorer, LogitsJudge(scorer), Options(32))
    stage = next(stage for stage in running if isinstance(stage, JudgingProgress) and stage.done)
    assert stage.done < stage.total
    assert scorer._busy.locked()
    running.close()  # type: ignore[attr-defined]  # it is a generator, typed as the iterator it is used as
    assert not scorer._busy.locked()
    assert scorer._cache is None


def test_both_answers_are_judged_by_the_same_judge_and_compared() -> None:
    run = finished(list(refine(REQUEST, ScriptedEngine([ANSWER]), JUDGE, Options(seed=5))))
    assert [claim.ids for claim in run.draft.claims] == [("s1",)]
    assert [claim.ids for claim in run.answer.claims] == [("s1",)]
    assert run.judge == JUDGE.name
    assert run.seed == 5
    assert run.reward.citation.supports[0].verdict.label
    assert run.draft_reward.citation.supports[0].verdict.label
    assert {change.kind for change in run.changes} <= {"same", "edited", "added", "removed"}


def test_the_prompt_that_was_read_is_on_record(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("version: 7\n--- system\nS\n--- user\n$question $sources $draft\n", encoding="utf-8")
    engine = ScriptedEngine([ANSWER])
    run = finished(list(refine(REQUEST, engine, JUDGE, template=PromptTemplate.from_file(mine))))
    assert run.prompt_version.startswith("mine-7-")
    assert engine.requests[0].messages[0].content == "S"


def test_a_stop_keeps_what_was_written_and_still_ends_well() -> None:
    stop = threading.Event()
    stages: list[Stage] = []
    for stage in refine(REQUEST, ScriptedEngine([ANSWER], step=10), JUDGE, stop=stop):
        stages.append(stage)
        if isinstance(stage, GenerationProgress):
            stop.set()
    run = finished(stages)
    assert run.usage.ended == "stopped"
    assert run.answer.raw == ANSWER[:20]


def test_an_engine_that_fails_midway_says_so_after_what_it_wrote() -> None:
    stages = []
    with pytest.raises(EngineError, match="went away"):
        stages.extend(
            refine(REQUEST, ScriptedEngine([ANSWER], fail_after=48, failure="The server went away."), JUDGE)
        )


def test_only_sources_in_the_prompt_may_be_cited() -> None:
    long = tuple(Source(f"s{n}", "Nothing of interest is said here at all. " * 200) for n in range(30))
    engine = ScriptedEngine([ANSWER])
    stages = list(refine(Request("Why is the sky blue?", REQUEST.draft, (*SOURCES, *long)), engine, JUDGE))
    left_out = {trim.source_id for trim in finished(stages).trims if not trim.kept}
    assert left_out
    assert left_out.isdisjoint(engine.requests[0].ids)
    assert {"s1", "s2"} <= set(engine.requests[0].ids)


def test_a_random_model_goes_all_the_way(qwen: LocalEngine) -> None:
    for form in ("free", "strict", "extractive"):
        run = finished(list(refine(REQUEST, qwen, JUDGE, Options(48, form))))
        assert run.answer.findings == ()
        assert run.form == form


@pytest.mark.real_model
def test_the_embedded_model_quotes_its_sources(embedded: LocalEngine) -> None:
    run = finished(list(refine(REQUEST, embedded, JUDGE, Options(120))))
    assert run.form == "extractive"
    assert run.answer.claims
    assert all(any(claim.text in source.text for source in SOURCES) for claim in run.answer.claims)


@pytest.mark.parametrize(
    ("question", "draft", "sources", "word"),
    [
        (" ", "D.", SOURCES, "no question"),
        ("Q?", "\n", SOURCES, "no draft"),
        ("Q?", "D.", (), "no sources"),
    ],
)
def test_what_is_missing_is_named(question: str, draft: str, sources: tuple[Source, ...], word: str) -> None:
    with pytest.raises(InputError, match=word):
        request(question, draft, sources)


@pytest.mark.parametrize("tokens", [15, 8193])
def test_a_budget_out_of_range_is_refused(tokens: int) -> None:
    with pytest.raises(InputError, match="between 16 and 8,192"):
        list(refine(REQUEST, ScriptedEngine([ANSWER]), JUDGE, Options(tokens)))


def test_sources_in_the_drafts_own_tool_output_join_those_given() -> None:
    draft = "<tool_output><snippet id=t1>\nTitle: T\nSnippet: Told.\n</snippet></tool_output><answer>So [t1].</answer>"
    asked = request("Q?", draft, SOURCES)
    assert [source.id for source in asked.sources] == ["s1", "s2", "t1"]
    assert asked.draft == "<answer>So [t1].</answer>"


@given(draft=st.text(), text=st.text(), written=st.text())
def test_any_text_anywhere_goes_through_and_no_raw_html_comes_out(
    draft: str, text: str, written: str
) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    asked = Request("Why?" + hostile, draft + hostile, (Source("s1", text + hostile, title=hostile),))
    stages = list(refine(asked, ScriptedEngine([written + hostile]), JUDGE))
    page = result.finished(finished(stages))
    assert "<img" not in page
    assert "<script" not in page
