"""The algorithm: a request in, stages out.

Build the prompt → stream the engine → read the answer → compare it with the draft → ask the judge about
both → total the rewards. Each step yields a `Stage`; no step looks back.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing

from refiner import diff
from refiner.domain import (
    LEAST,
    MOST,
    Answer,
    Criterion,
    Finished,
    Judging,
    Mix,
    Options,
    Prepared,
    Refinement,
    Request,
    Source,
    Stage,
    Writing,
)
from refiner.engines.protocol import Engine, Job
from refiner.errors import EngineError, InputError
from refiner.formats import answer, sources
from refiner.judges.ask import ask
from refiner.judges.protocol import Judge
from refiner.prompts import budget, quotes
from refiner.prompts.template import PromptTemplate, shown
from refiner.scoring import rewards, rubrics


def request(
    question: str, draft: str, given: Sequence[Source], criteria: Sequence[Criterion] = ()
) -> Request:
    """A request that can be run: sources in the draft's own tool output join those given.

    Without ``criteria`` the question suggests some (`rubrics.suggested`).
    `InputError` says which of question, draft and sources is missing.
    """
    prose, own, _ = sources.split_draft(draft)
    known = {source.id for source in given}
    everything = (*given, *(source for source in own if source.id not in known))
    if not question.strip():
        raise InputError("There is no question. Write what the draft is meant to answer.", "question")
    if not prose.strip():
        raise InputError("There is no draft. Paste the answer that is to be refined.", "draft")
    if not everything:
        raise InputError(
            "There are no sources. Paste at least one, or take an example to see the forms that are read.",
            "sources",
        )
    return Request(question.strip(), prose, everything, tuple(criteria) or rubrics.suggested(question))


def refine(
    request: Request,
    engine: Engine,
    judge: Judge,
    options: Options | None = None,
    stop: threading.Event | None = None,
    *,
    template: PromptTemplate | None = None,
    mix: Mix = "weighted",
) -> Iterator[Stage]:
    """Refine one draft: `Prepared`, then `Writing` and `Judging` many times each, and `Finished` at the end.

    When ``stop`` is set what was written so far is the answer, and what was not judged yet is unscored. Raises
    `InputError` (too long) and `EngineError`; a judge that fails leaves its checks unscored.
    """
    options, template, stop = (
        options or Options(),
        template or PromptTemplate.read(),
        stop or threading.Event(),
    )
    draft, prompt = read(request, engine, template)
    yield Prepared(prompt.trims, prompt.tokens)
    try:
        task = job(prompt, draft, engine, options)
        written: Writing | None = None
        for written in engine.stream(task, stop):
            yield written
        if written is None:
            raise EngineError(f"{engine.info.name} wrote nothing. Try again.")

        refined = answer.parse(written.text, [source.id for source in request.sources])
        changes = diff.compare(draft, refined)
        checks = (*rewards.checks(request, draft), *rewards.checks(request, refined))
        total = len(dict.fromkeys(checks))
        with closing(ask(judge, checks, stop.is_set)) as asked:
            for verdicts in asked:
                yield Judging(refined, draft, changes, written.usage, len(verdicts), total)
        yield Finished(
            Refinement(
                request=request,
                model=engine.info,
                judge=judge.name,
                prompt_version=template.version,
                form=task.form,
                trims=prompt.trims,
                draft=draft,
                answer=refined,
                changes=changes,
                draft_reward=rewards.reward(request, draft, verdicts, mix),
                reward=rewards.reward(request, refined, verdicts, mix),
                usage=written.usage,
                seed=options.seed,
            )
        )
    finally:
        engine.release()


def read(request: Request, engine: Engine, template: PromptTemplate) -> tuple[Answer, budget.Prompt]:
    """The draft as it is understood, and what the engine is to read. `InputError` where that is too long."""
    draft = answer.parse(request.draft, [source.id for source in request.sources], expect_block=False)
    prompt = budget.build(
        template,
        request.question,
        draft,
        request.sources,
        count=engine.count,
        count_prompt=engine.prompt_tokens,
    )
    return draft, prompt


def job(prompt: budget.Prompt, draft: Answer, engine: Engine, options: Options) -> Job:
    """What to write. Only what went into the prompt may be cited: nobody has read the rest."""
    if not LEAST <= options.max_new_tokens <= MOST:
        raise InputError(f"The longest answer must be between {LEAST} and {MOST:,} tokens.")
    form = options.form or engine.default_form
    groups = (
        quotes.groups(draft, prompt.sources, engine.count, options.max_new_tokens)
        if form == "extractive"
        else ()
    )
    return Job(
        messages=prompt.messages,
        form=form,
        ids=tuple(source.id for source in prompt.sources),
        quotes=groups,
        draft=shown(draft, prompt.sources),
        max_new_tokens=options.max_new_tokens,
        temperature=options.temperature,
        seed=options.seed,
    )
