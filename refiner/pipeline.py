"""The algorithm: a request in, stages out.

Build the prompt → stream the engine → read the answer → compare it with the draft → ask the judge about both → compute
the rewards. Each step yields a `Stage`. No step looks back.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing

from refiner import diff
from refiner.domain import (
    MAX_NEW_TOKENS,
    MIN_NEW_TOKENS,
    Answer,
    Criterion,
    Finished,
    GenerationProgress,
    JudgingProgress,
    Mix,
    Options,
    Prepared,
    Refinement,
    Request,
    Source,
    Stage,
)
from refiner.engines.protocol import Engine, GenerationRequest
from refiner.errors import EngineError, InputError
from refiner.formats import answer, sources
from refiner.judges.ask import ask
from refiner.judges.protocol import Judge
from refiner.prompts import budget, quotes
from refiner.prompts.prompt_file import PromptTemplate, shown
from refiner.prompts.token_counting import EstimatedTokenCounter
from refiner.scoring import rewards, rubrics


def request(
    question: str, draft: str, given: Sequence[Source], criteria: Sequence[Criterion] = ()
) -> Request:
    """A request that can be run. Sources in the draft's own tool output join ``given``.

    Without ``criteria`` the question suggests some (`rubrics.suggested`). `InputError` says which of question, draft and
    sources is missing.
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
    """Refine one draft: `Prepared`, then `GenerationProgress` and `JudgingProgress` many times each, then `Finished`.

    When ``stop`` is set, what was written so far is the answer, and what was not judged yet is unscored. Raises
    `InputError` (too long) and `EngineError`. A judge that fails leaves its checks unscored.
    """
    options, stop = options or Options(), stop or threading.Event()
    template = template or PromptTemplate.from_file()
    draft, prompt = read_and_prompt(request, engine, template)
    yield Prepared(prompt.trims, prompt.tokens)
    try:
        generation = generation_request(prompt, draft, engine, options)
        written: GenerationProgress | None = None
        for written in engine.stream(generation, stop):
            yield written
        if written is None:
            raise EngineError(f"{engine.info.name} wrote nothing. Try again.")

        refined = answer.parse(written.text, [source.id for source in request.sources])
        changes = diff.compare(draft, refined)
        plans = [rewards.plan(request, one) for one in (draft, refined)]
        checks = tuple(dict.fromkeys(check for plan in plans for check in plan.checks))
        with closing(ask(judge, checks, stop.is_set)) as verdicts_so_far:
            for verdicts in verdicts_so_far:
                yield JudgingProgress(refined, draft, changes, written.usage, len(verdicts), len(checks))
        draft_reward, reward = (plan.reward(verdicts, mix) for plan in plans)
        yield Finished(
            Refinement(
                request=request,
                model=engine.info,
                judge=judge.name,
                prompt_version=template.version,
                form=generation.form,
                trims=prompt.trims,
                draft=draft,
                answer=refined,
                changes=changes,
                draft_reward=draft_reward,
                reward=reward,
                usage=written.usage,
                seed=options.seed,
            )
        )
    finally:
        engine.release()


def read_and_prompt(
    request: Request, engine: Engine, template: PromptTemplate
) -> tuple[Answer, budget.Prompt]:
    """The draft as it is understood, and what the engine is to read. `InputError` where that is too long."""
    draft = answer.parse(request.draft, [source.id for source in request.sources], expect_block=False)
    counter = engine.token_counter or EstimatedTokenCounter()
    return draft, budget.build(template, request.question, draft, request.sources, counter)


def generation_request(
    prompt: budget.Prompt, draft: Answer, engine: Engine, options: Options
) -> GenerationRequest:
    """What to write. Only what went into the prompt may be cited: nobody has read the rest."""
    if not MIN_NEW_TOKENS <= options.max_new_tokens <= MAX_NEW_TOKENS:
        raise InputError(
            f"The longest answer must be between {MIN_NEW_TOKENS} and {MAX_NEW_TOKENS:,} tokens."
        )
    form = options.form or engine.forms[0]
    if form not in engine.forms:
        raise InputError(
            f"{engine.info.name} cannot write in the form {form}. Choose {' or '.join(engine.forms)}."
        )
    groups: quotes.QuoteGroups = ()
    if form == "extractive":
        counter = engine.token_counter or EstimatedTokenCounter()
        groups = quotes.groups(draft, prompt.sources, counter.count, options.max_new_tokens)
    return GenerationRequest(
        messages=prompt.messages,
        form=form,
        ids=tuple(source.id for source in prompt.sources),
        quotes=groups,
        draft=shown(draft, prompt.sources),
        max_new_tokens=options.max_new_tokens,
        temperature=options.temperature,
        seed=options.seed,
    )
