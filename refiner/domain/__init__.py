"""The values that travel through Refiner. Frozen, no behaviour beyond what derives from their fields.

Knows nothing of models, judges, HTML or storage. Texts are as given: nothing here is escaped.
"""

from refiner.domain.answers import Answer, Claim, Finding, Plain, Source
from refiner.domain.changes import Change, Token
from refiner.domain.generation import ChoiceProbabilities, Message, ModelInfo, Trim, Usage
from refiner.domain.ratings import Choice, Feedback, Side
from refiner.domain.requests import (
    MAX_NEW_TOKENS,
    MIN_NEW_TOKENS,
    Criterion,
    Form,
    Mix,
    Options,
    Origin,
    Polarity,
    Request,
)
from refiner.domain.rewards import Aggregate, CitationReward, ClaimSupport, Passage, Reward, RubricReward
from refiner.domain.stages import Finished, GenerationProgress, JudgingProgress, Prepared, Refinement, Stage
from refiner.domain.verdicts import Basis, Check, CheckKind, Verdict

__all__ = [
    "MAX_NEW_TOKENS",
    "MIN_NEW_TOKENS",
    "Aggregate",
    "Answer",
    "Basis",
    "Change",
    "Check",
    "CheckKind",
    "Choice",
    "ChoiceProbabilities",
    "CitationReward",
    "Claim",
    "ClaimSupport",
    "Criterion",
    "Feedback",
    "Finding",
    "Finished",
    "Form",
    "GenerationProgress",
    "JudgingProgress",
    "Message",
    "Mix",
    "ModelInfo",
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
]
