"""Finds statements that say too much: "all" and "always" where the evidence has "some", "most" or "often".

Only saying more than the evidence is a problem. If the text says something of all, it is true of some.
"""

from refiner.judges.lexical.context import Rarity, context, fit
from refiner.judges.lexical.polarity import is_negative
from refiner.judges.lexical.prepared_text import PreparedText, word_list

_ALL = word_list(
    "all every each always everyone everybody everything everywhere entire entirely whole wholly completely "
    "fully universally invariably constantly totally"
)
_PART = word_list(
    "some several many most few sometimes often usually generally mostly frequently typically commonly "
    "occasionally partly partially largely mainly rarely seldom normally numerous majority minority half "
    "almost nearly certain someone somebody something somewhere"
)
_MIN_FIT = 0.25
"""How well the word's context must fit a position for both to say the same. Chosen on the training claims."""
_MAX_POSITIONS = 100  # positions of such words that are looked at


def overstated(
    statement: PreparedText, evidence: PreparedText, rarity: Rarity
) -> tuple[tuple[str, str], ...]:
    """Pairs (word of the statement that says "all", word that the evidence has there), as written."""
    mine = [at for at in range(len(statement.words)) if _says_all(statement, at)]
    parts = [at for at, word in enumerate(evidence.words) if word.folded in _PART][:_MAX_POSITIONS]
    if not mine or not parts:
        return ()
    alls = [at for at, word in enumerate(evidence.words) if word.folded in _ALL][:_MAX_POSITIONS]
    found = []
    for at in mine[:_MAX_POSITIONS]:
        near = context(statement, at, rarity)
        best, place = max((fit(near, evidence, one), one) for one in parts)
        own = max((fit(near, evidence, one) for one in alls), default=0.0)
        if best >= _MIN_FIT and own < best:
            found.append((statement.words[at].text, evidence.words[place].text))
    return tuple(found)


def _says_all(text: PreparedText, at: int) -> bool:
    """A word for all, but not "not all" and "has not always"."""
    return text.words[at].folded in _ALL and not any(
        is_negative(text, other) for other in range(max(0, at - 2), at)
    )
