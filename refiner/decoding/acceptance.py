"""How often each kind of proposal is accepted, learned while an answer is written."""

from collections.abc import Mapping

from refiner.decoding.lookup_text import MATCH_LENGTHS, Match

Kind = tuple[str, object]
"""A kind of proposal, and the situation that it is made in. Each kind has an acceptance rate of its own."""
Evidence = tuple[tuple[Kind, bool], ...]
"""The kinds that a draft token tests, each with whether acceptance speaks for the kind (True) or against it."""

FIRM_MATCH: Kind = ("copy", Match(MATCH_LENGTHS[0], near=True))
CLAIM_START: Kind = ("claim start", None)
"""A claim begins with the draft's next words."""
CLAIM_IDS: Kind = ("ids", None)

_RUN_LENGTHS = (128, 64, 32, 16, 8, 0)


def copy_starts(match: Match) -> Kind:
    """The answer goes on as the lookup text does behind this match."""
    return ("copy", match)


def copy_goes_on(run: int) -> Kind:
    """A copy goes on, of which ``run`` bytes have been right so far."""
    return ("copy on", next(length for length in _RUN_LENGTHS if run >= length))


def claim_end(*, in_draft: bool) -> Kind:
    """A claim ends where a sentence does; ``in_draft``: where the draft's claim does too."""
    return ("claim end", in_draft)


def another_claim(*, draft_used_up: bool) -> Kind:
    """After a claim comes another; ``draft_used_up``: even after the draft's end."""
    return ("another claim", draft_used_up)


_ACCEPTED_AND_REJECTED: Mapping[Kind, tuple[int, int]] = {
    ("copy", Match(64, near=True)): (9, 2),
    ("copy", Match(64, near=False)): (6, 3),
    ("copy", Match(32, near=True)): (7, 2),
    ("copy", Match(32, near=False)): (6, 3),
    ("copy", Match(16, near=True)): (6, 4),
    ("copy", Match(16, near=False)): (6, 4),
    ("copy", Match(8, near=True)): (6, 3),
    ("copy", Match(8, near=False)): (3, 5),
    ("copy", Match(4, near=True)): (4, 6),
    ("copy", Match(4, near=False)): (2, 8),
    ("copy", Match(1, near=False)): (5, 5),
    ("copy on", 0): (9, 1),
    ("copy on", 8): (8, 2),
    ("copy on", 16): (9, 1),
    ("copy on", 32): (19, 1),
    ("copy on", 64): (40, 1),
    ("copy on", 128): (99, 1),
    CLAIM_START: (3, 6),
    ("claim end", False): (2, 1),
    ("claim end", True): (4, 1),
    ("another claim", False): (2, 1),
    ("another claim", True): (1, 2),
    CLAIM_IDS: (6, 4),
}
"""Where each acceptance rate starts, as counts: rounded from the replays in BENCHMARKS.md."""

_SHORT_MATCHES = frozenset(("copy", Match(n, near=near)) for n in (1, 4, 8, 16) for near in (False, True))
_SHORT_MATCH_PENALTY = 6
"""Times that a rejection after a short match counts. Where nothing is copied, proposing must cost little."""


class AcceptanceRates:
    """The acceptance rate of every kind of proposal, in (0, 1)."""

    def __init__(self) -> None:
        self._accepted = {kind: accepted for kind, (accepted, _) in _ACCEPTED_AND_REJECTED.items()}
        self._rejected = {kind: rejected for kind, (_, rejected) in _ACCEPTED_AND_REJECTED.items()}

    def of(self, kind: Kind) -> float:
        """The share of proposals of this kind that were accepted."""
        return self._accepted[kind] / (self._accepted[kind] + self._rejected[kind])

    def update(self, kind: Kind, *, accepted: bool) -> None:
        """Count one more proposal of this kind."""
        if accepted:
            self._accepted[kind] += 1
        else:
            self._rejected[kind] += _SHORT_MATCH_PENALTY if kind in _SHORT_MATCHES else 1
