"""How much a statement says: "all" and "always" where the evidence has "some", "most" or "often".

Only what says more than the evidence is a problem: "some" of what the text says of all is true.
"""

from refiner.judges.lexical.context import Rarity, context, fit
from refiner.judges.lexical.polarity import negative
from refiner.judges.lexical.prepared import Prepared, listed

_ALL = listed(
    "all every each always everyone everybody everything everywhere entire entirely whole wholly completely "
    "fully universally invariably constantly totally"
)
_PART = listed(
    "some several many most few sometimes often usually generally mostly frequently typically commonly "
    "occasionally partly partially largely mainly rarely seldom normally numerous majority minority half "
    "almost nearly certain someone somebody something somewhere"
)
_SAME = 0.25
"""How well the word's context must fit a place for both to say the same; chosen on the training claims."""
_MOST = 100  # places of such words that are looked at


def overstated(statement: Prepared, evidence: Prepared, rarity: Rarity) -> tuple[tuple[str, str], ...]:
    """Pairs (word of the statement that says "all", word that the evidence has there), as written."""
    mine = [at for at in range(len(statement.words)) if _says_all(statement, at)]
    parts = [at for at, word in enumerate(evidence.words) if word.folded in _PART][:_MOST]
    if not mine or not parts:
        return ()
    alls = [at for at, word in enumerate(evidence.words) if word.folded in _ALL][:_MOST]
    found = []
    for at in mine[:_MOST]:
        near = context(statement, at, rarity)
        best, place = max((fit(near, evidence, one), one) for one in parts)
        own = max((fit(near, evidence, one) for one in alls), default=0.0)
        if best >= _SAME and own < best:
            found.append((statement.words[at].text, evidence.words[place].text))
    return tuple(found)


def _says_all(text: Prepared, at: int) -> bool:
    """A word for all, but not "not all" and "has not always"."""
    return text.words[at].folded in _ALL and not any(
        negative(text, other) for other in range(max(0, at - 2), at)
    )
