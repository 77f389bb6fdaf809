"""The values that travel through Refiner. Frozen, no behaviour beyond what derives from their fields.

Knows nothing of models, judges, HTML or storage. Texts are as given: nothing here is escaped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Basis = Literal["judged", "estimated", "fact"]
Polarity = Literal["positive", "negative"]
Origin = Literal["user", "static", "generated"]
CheckKind = Literal["criterion", "support", "relevance", "needs_citation"]
Mix = Literal["weighted", "convex"]
"""How rubric and citations make a score: (rubric + w × F1) / (1 + w), or (1 - w) × rubric + w × F1."""
Form = Literal["off", "free", "strict", "extractive"]
"""How output is held to the answer format: not at all; the format; text only inside claims; only sentences
of the sources."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An oddity that was met and dealt with while reading: what it was, in words, and where."""

    code: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One text that may be cited. ``id`` is opaque, and free of blanks, ``, ; " ' < > =`` and brackets."""

    id: str
    text: str
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of a rubric. A positive one asks for something, a negative one names a fault."""

    id: str
    title: str
    description: str
    weight: float = 1.0
    polarity: Polarity = "positive"
    origin: Origin = "user"


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for. ``criteria`` are scored beside the static rubric."""

    question: str
    draft: str
    sources: tuple[Source, ...]
    criteria: tuple[Criterion, ...] = ()


LEAST, MOST = 16, 8192
"""New tokens that can be asked for; the most is what the refiner was trained to write (its model card)."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to write. ``form`` None leaves it to the engine; ``temperature`` 0 is greedy.

    ``max_new_tokens`` is from `LEAST` to `MOST`.
    """

    max_new_tokens: int = 1024
    form: Form | None = None
    temperature: float = 0.0
    seed: int | None = None


# --- answers ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plain:
    """A stretch that cites nothing: ``text == answer.raw[start:end]``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A stretch that cites: ``text == answer.raw[start:end]``; ``ids`` in the order written, no id twice."""

    text: str
    ids: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as read: its stretches in order, and what had to be repaired to read it."""

    raw: str
    parts: tuple[Plain | Claim, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def text(self) -> str:
        """The words without any markup."""
        return "".join(part.text for part in self.parts)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The stretches that cite, in order; the same text may come twice."""
        return tuple(part for part in self.parts if isinstance(part, Claim))


# --- what changed ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Token:
    """A word with the blanks after it, or one whole citation (then ``ids`` is not empty, ``text`` is '').

    ``claim`` is the place of a citation's claim among those of its answer.
    """

    text: str
    ids: tuple[str, ...] = ()
    changed: bool = False
    claim: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A pair of aligned sentences, or one alone: ``draft`` is empty when added, ``refined`` when removed.

    ``changed`` on a token marks words only that side has. ``moved`` says the sentence stands elsewhere
    in the order than its partner did; it may be edited as well. ``paragraph`` is true where the
    sentence begins a new line of its side's text.
    """

    kind: Literal["same", "edited", "added", "removed"]
    draft: tuple[Token, ...]
    refined: tuple[Token, ...]
    moved: bool = False
    paragraph: bool = False


# --- judging ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """One thing asked of a judge.

    ``statement`` is the claim (support, relevance), the sentence (needs_citation) or empty (criterion);
    ``evidence`` are the sources to look at together; ``criterion`` is set for kind ``criterion``.
    """

    kind: CheckKind
    question: str
    answer: str
    statement: str = ""
    evidence: tuple[Source, ...] = ()
    criterion: Criterion | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check: ``value`` in [0, 1], or None with the reason it was not scored.

    For support 1 is full, 0.5 partial, 0 none; for a criterion it is the judge's 0–2 divided by 2,
    before polarity. ``estimated`` is a heuristic's word and never mixed with judged values. ``label``
    is the judge's own wording where its scale has names; ``flags`` what it noticed. ``confidence`` in [0, 1]
    is how far a model answered in the form asked, ``raw`` what it replied, both where there is such.
    """

    value: float | None
    basis: Basis
    reason: str
    judge: str
    version: str = ""
    label: str = ""
    flags: tuple[str, ...] = ()
    confidence: float | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A weighted mean of what was scored.

    ``value`` is None when nothing was. ``lo`` and ``hi`` fill what was not scored with the worst and the
    best; ``coverage`` is the scored share of the weight; ``n`` how many items there are.
    """

    value: float | None
    lo: float
    hi: float
    coverage: float
    n: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of a source: ``source.text[start:end]``."""

    source_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ClaimSupport:
    """A stretch that needs a citation, and how well what it cites supports it.

    ``text`` is a claim's, or an uncited sentence's (then ``ids`` is empty). ``by_source`` holds the
    verdict on each cited source alone, in the order of ``ids``; ``passages`` the sentence of each cited source
    that comes nearest to the claim, for those that have one.
    """

    text: str
    ids: tuple[str, ...]
    verdict: Verdict
    by_source: tuple[Verdict, ...] = ()
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class CitationReward:
    """Citation figures in [0, 1] of one answer; ``not_applicable`` when nothing needs a citation."""

    recall: Aggregate
    precision: Aggregate
    f1: Aggregate
    validity: float | None
    supports: tuple[ClaimSupport, ...]
    basis: Basis
    not_applicable: str = ""


@dataclass(frozen=True, slots=True)
class RubricReward:
    """Each criterion with its verdict, in the rubric's order, and their weighted mean after polarity."""

    verdicts: tuple[tuple[Criterion, Verdict], ...]
    total: Aggregate


@dataclass(frozen=True, slots=True)
class Reward:
    """The two parts of the score and the score itself, all in [0, 1].

    ``total.value`` is None ("partly scored", ``reason`` says why) while either part's coverage is under 0.8.
    ``mix`` says how the parts make the score.
    """

    rubric: RubricReward
    citation: CitationReward
    total: Aggregate
    basis: Basis
    reason: str = ""
    mix: Mix = "weighted"


# --- writing ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat: ``role`` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model writes. ``name`` is what people see; ``is_refiner`` only for the refiner's own weights."""

    name: str
    is_refiner: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a generation took. Times in seconds; ``forward_passes`` counts the prompt's pass too.

    ``grammar_seconds`` is what may come, the choice, and what is forced, ``drafting_seconds`` guessing what comes
    next. ``guessed_tokens`` were guessed right and took no pass of their own; ``reused_tokens`` of the prompt had
    been read before.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    forward_passes: int = 0
    prefill_seconds: float = 0.0
    seconds: float = 0.0
    grammar_seconds: float = 0.0
    drafting_seconds: float = 0.0
    guessed_tokens: int = 0
    reused_tokens: int = 0
    ended: Literal["", "end", "budget", "stopped"] = ""


@dataclass(frozen=True, slots=True)
class Odds:
    """What one forward pass over many prompts told: what the model would say next after those that ended in it.

    ``chances`` holds, by the prompt's place, the probability of each choice in [0, 1]; None where the prompt is
    longer than the model reads, which takes no pass. ``tokens`` is how many were read.
    """

    chances: Mapping[int, tuple[float, ...] | None]
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Trim:
    """How many sentences of a source went into the prompt; none: the source was left out."""

    source_id: str
    kept: int
    of: int


@dataclass(frozen=True, slots=True)
class Refinement:
    """Everything known of one finished run."""

    request: Request
    model: ModelInfo
    judge: str
    prompt_version: str
    form: str
    trims: tuple[Trim, ...]
    draft: Answer
    answer: Answer
    changes: tuple[Change, ...]
    draft_reward: Reward
    reward: Reward
    usage: Usage
    seed: int | None = None


# --- stages of a run -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prepared:
    """The prompt is built: what of the sources went in, and how long it is."""

    trims: tuple[Trim, ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Writing:
    """Text so far, whole (not a delta), with markup; it may shrink once at the very end."""

    text: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Judging:
    """The answer and its diff stand; ``done`` of ``total`` checks have come back, at first none, at last all."""

    answer: Answer
    draft: Answer
    changes: tuple[Change, ...]
    usage: Usage
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The last stage of every run that was not broken off by an error."""

    refinement: Refinement


Stage = Prepared | Writing | Judging | Finished


# --- ratings ---------------------------------------------------------------------------------------


Side = Literal["refined", "draft"]
Choice = Literal["refined", "draft", "tie", "both_bad"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """One rating. Stored only with ``consent_store``; exported only with ``consent_publish``.

    ``run`` is the record that `feedback.record.run_record` makes. ``stars`` (1 to 5) are the refined answer's.
    ``reasons`` are codes of chips for either side. ``criteria`` says by criterion id, and ``claims`` by place in
    the refined answer's supports, whether the rater agrees with the judge's verdict. ``left`` is the side that
    stood first, drawn at random where ``blind``. ``rater`` is a keyed hash, or empty.
    """

    run: Mapping[str, object]
    choice: Choice
    comment: str = ""
    consent_store: bool = False
    consent_publish: bool = False
    consent_version: str = ""
    run_id: str = field(default="")
    stars: int | None = None
    reasons: Mapping[Side, tuple[str, ...]] = field(default_factory=dict)
    criteria: Mapping[str, bool] = field(default_factory=dict)
    claims: Mapping[int, bool] = field(default_factory=dict)
    blind: bool = False
    left: Side = "draft"
    rater: str = ""
