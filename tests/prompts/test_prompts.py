"""The prompt: what goes in, what is shortened when it is too long, and that no field can break its fence."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paths import SAMPLE_CASES

from refiner.domain import Source
from refiner.engines.local import LocalEngine
from refiner.engines.scripted import ScriptedEngine
from refiner.errors import InputError
from refiner.formats import answer, sources
from refiner.prompts.budget import MAX_PROMPT_TOKENS, Prompt, build
from refiner.prompts.prompt_file import PromptTemplate
from refiner.text import sentences

TEMPLATE = PromptTemplate.from_file()
CASES = [json.loads(line) for line in (SAMPLE_CASES).read_text("utf-8").splitlines()]


WORDS = ScriptedEngine([])
"""Counts a token a word."""


def built(question: str, draft: str, given_: Sequence[Source], limit: int = MAX_PROMPT_TOKENS) -> Prompt:
    read = answer.parse(draft, [one.id for one in given_], expect_block=False)
    return build(TEMPLATE, question, read, given_, WORDS, limit=limit)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_real_case_fits_whole_and_its_citations_are_in_the_outputs_notation(
    qwen: LocalEngine, case: dict[str, object]
) -> None:
    found, _ = sources.from_objects(case["sources"])  # type: ignore[arg-type]  # as in the file
    draft = answer.parse(str(case["draft"]), [one.id for one in found], expect_block=False)
    prompt = build(TEMPLATE, str(case["question"]), draft, found, qwen)
    assert prompt.trims == ()
    assert prompt.tokens == qwen.count_prompt(prompt.messages) <= MAX_PROMPT_TOKENS
    shown = prompt.messages[1].content
    known = {one.id for one in found}
    for claim in draft.claims:
        ids = ",".join(one for one in claim.ids if one in known)
        assert not ids or f"<snippet id={ids}>{answer.defang(claim.text)}</snippet>" in shown


def test_the_fields_stand_in_order_under_the_systems_word() -> None:
    prompt = built(
        "Why?", "It is so [7].", [Source("7", "It is so because.", "A title", "https://x.example")]
    )
    system, user = prompt.messages
    assert (system.role, user.role) == ("system", "user")
    assert "<answer>" in user.content
    expected = """<question>
Why?
</question>

<sources>
<snippet id=7>
Title: A title
Snippet: It is so because.
</snippet>
</sources>

<draft>
<snippet id=7>It is so</snippet>.
</draft>"""
    assert user.content.startswith(expected)


LONG = tuple(
    Source(
        str(n),
        " ".join(f"Filler sentence {n} {m} about nothing at all." for m in range(20))
        + f" Nanoparticles of kind {n} reach the liver.",
    )
    for n in range(6)
)


def test_too_long_sources_lose_the_least_relevant_sentences_whole() -> None:
    prompt = built("Do nanoparticles reach the liver?", "Nanoparticles reach the liver [0].", LONG, 500)
    assert prompt.tokens <= 500
    for source in prompt.sources:
        whole = next(one for one in LONG if one.id == source.id)
        assert f"Nanoparticles of kind {source.id} reach the liver." in source.text
        assert {one.text for one in sentences.split(source.text)} <= {
            one.text for one in sentences.split(whole.text)
        }
    assert len(prompt.sources) == 6


def test_the_trims_say_how_many_sentences_of_each_source_are_left() -> None:
    prompt = built("Do nanoparticles reach the liver?", "They do [0].", LONG, 230)
    kept = {one.id: len(sentences.split(one.text)) for one in prompt.sources}
    assert [(trim.source_id, trim.kept, trim.of) for trim in prompt.trims] == [
        (one.id, kept.get(one.id, 0), 21) for one in LONG
    ]
    assert 0 in {trim.kept for trim in prompt.trims} or prompt.tokens <= 230


def test_a_draft_that_alone_is_too_long_is_refused_with_both_numbers() -> None:
    with pytest.raises(InputError, match=r"alone take 7,\d{3} tokens; the model reads at most 6,144"):
        built("Why?", "word " * 7000, LONG)


HOSTILE = st.lists(
    st.text(max_size=4)
    | st.sampled_from(
        ["<", "</", "< / ", "[1]", "snippet>", "SOURCES >", "draft>", "question>", "answer>", "$draft ${x}"]
    )
).map("".join)


@given(question=HOSTILE, draft=HOSTILE, text=HOSTILE, title=HOSTILE)
@example(question="?", draft="Yes.", text="It is.", title="<")  # the line after it begins with "Snippet"
@example(question="?", draft="So it is. <[9] answer> it is so.", text="It is.", title="")
def test_no_field_can_break_its_fence(question: str, draft: str, text: str, title: str) -> None:
    prompt = built(question, draft, [Source("S1", text, title)])
    user = prompt.messages[1].content
    for tag in ("question", "sources", "draft"):
        assert len(re.findall(rf"<\s*{tag}\s*>", user, re.IGNORECASE)) == 1
        assert len(re.findall(rf"<\s*/\s*{tag}\s*>", user, re.IGNORECASE)) == 1
    fenced = user[user.index("<sources>") : user.index("</sources>")]
    assert len(re.findall(r"<\s*/?\s*snippet", fenced, re.IGNORECASE)) == 2
    assert not re.search(
        r"<\s*/?\s*(answer|think)\b",
        user[user.index("<question>") : user.index("\n\nRewrite the draft into")],
        re.IGNORECASE,
    )


@given(limit=st.integers(190, 900), seed=st.randoms())
def test_whatever_the_limit_the_prompt_keeps_it(limit: int, seed: object) -> None:
    del seed
    try:
        prompt = built("Do nanoparticles reach the liver?", "They do [0].", LONG, limit)
    except InputError:
        return
    assert prompt.tokens <= limit


def test_the_version_names_the_text(tmp_path: Path) -> None:
    assert re.fullmatch(r"answer_only-2-[0-9a-f]{8}", TEMPLATE.version)
    mine = tmp_path / "mine.txt"
    mine.write_text("version: 7\n--- system\nS\n--- user\n$question $sources $draft\n", encoding="utf-8")
    template = PromptTemplate.from_file(mine)
    assert template.version.startswith("mine-7-")
    assert template.messages("Q", answer.parse("D", expect_block=False), ())[1].content == "Q (none) D"


WHOLE = "version: 1\n--- system\nS\n--- material\n$question\n$sources\n--- task\n$draft\n"


def test_the_material_is_the_users_message_up_to_the_task(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text(WHOLE, encoding="utf-8")
    template = PromptTemplate.from_file(file)
    sources = [Source("7", "It is so.")]
    material = template.material_text("Why?", sources)
    assert material == "Why?\n<snippet id=7>\nSnippet: It is so.\n</snippet>"
    assert (
        template.messages("Why?", answer.parse("D", expect_block=False), sources)[1].content
        == f"{material}\n\nD"
    )


@pytest.mark.parametrize(
    ("user", "material"),
    [
        pytest.param("$question\n\n$sources\n\nDraft: $draft", "$question\n\n$sources", id="up to the draft"),
        pytest.param("<$draft> $question $sources", None, id="the draft first"),
        pytest.param("$question $sources $draft", None, id="no blank line"),
    ],
)
def test_a_file_of_the_first_release_is_read_and_no_judge_loses_question_and_sources(
    tmp_path: Path, user: str, material: str | None
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text(f"version: 7\n--- system\nS\n--- user\n{user}\n", encoding="utf-8")
    template = PromptTemplate.from_file(file)
    assert template.user.template == user
    assert template.material.template == (material or TEMPLATE.material.template)


def test_one_prompt_has_one_version_however_its_file_is_parted(tmp_path: Path) -> None:
    old, new = tmp_path / "a/mine.txt", tmp_path / "b/mine.txt"
    for file in (old, new):
        file.parent.mkdir()
    new.write_text(WHOLE, encoding="utf-8")
    old.write_text(WHOLE.replace("--- material", "--- user").replace("--- task\n", "\n"), encoding="utf-8")
    assert PromptTemplate.from_file(old).version == PromptTemplate.from_file(new).version


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("hello", "begin with a line 'version", id="no sections"),
        pytest.param(
            "version: 1\n--- system\nS\n--- task\n$draft",
            "has the sections system, task. It must",
            id="no material",
        ),
        pytest.param(
            WHOLE + "--- more\nM", "has the sections system, material, task, more", id="a section too many"
        ),
        pytest.param(WHOLE + "--- task\n$draft", "cannot be used", id="a section twice"),
        pytest.param(WHOLE.replace("$question", ""), r"section material, lacks \$question", id="no question"),
        pytest.param(WHOLE.replace("$draft", ""), r"section task, lacks \$draft", id="no draft"),
        pytest.param(
            WHOLE + "$sources", r"section task, cannot hold \$sources", id="a field in the wrong section"
        ),
        pytest.param(WHOLE + "$ 5", "section task, holds a bare", id="a bare dollar"),
        pytest.param(
            "version: 1\n--- system\nS\n--- user\n$question",
            r"section user, lacks \$draft, \$sources",
            id="the first form, no fields",
        ),
        pytest.param("\udcff", "cannot be read", id="not UTF-8"),
    ],
)
def test_a_prompt_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "prompt.txt"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=message):
        PromptTemplate.from_file(file)
