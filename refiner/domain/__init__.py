"""The values that travel through Refiner. Frozen, no behaviour beyond what derives from their fields.

Knows nothing of models, judges, HTML or storage. Texts are as given: nothing here is escaped.
"""

from refiner.domain.answers import Answer, Claim, Finding, Plain, Source
from refiner.domain.changes import Change, Token
from refiner.domain.generation import Message, ModelInfo, Odds, Trim, Usage
from refiner.domain.ratings import Choice, Feedback, Side
from refiner.domain.requests import LEAST, MOST, Criterion, Form, Mix, Options, Origin, Polarity, Request
from refiner.domain.rewards import Aggregate, CitationReward, ClaimSupport, Passage, Reward, RubricReward
from refiner.domain.stages import Finished, Judging, Prepared, Refinement, Stage, Writing
from refiner.domain.verdicts import Basis, Check, CheckKind, Verdict

__all__ = [
    "LEAST",
    "MOST",
    "Aggregate",
    "Answer",
    "Basis",
    "Change",
    "Check",
    "CheckKind",
    "Choice",
    "CitationReward",
    "Claim",
    "ClaimSupport",
    "Criterion",
    "Feedback",
    "Finding",
    "Finished",
    "Form",
    "Judging",
    "Message",
    "Mix",
    "ModelInfo",
    "Odds",
    "Options",
    "Origin",
    "Passage",
    "Plain",
    "Polarity",
    "Prepared",
    "Refinement",
    "Request",
    "Reward",
    "RubricReward",
    "Side",
    "Source",
    "Stage",
    "Token",
    "Trim",
    "Usage",
    "Verdict",
    "Writing",
]
