"""Claims that people found supported, made false by the smallest change, a kind at a time.

`falsify.py FILE KIND` prints pairs to read. Knows nothing of how the judge looks for such changes: its word lists
and patterns are its own. The same seed makes the same claims.
"""

import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 7

AUXILIARIES = [
    "is",
    "are",
    "was",
    "were",
    "can",
    "could",
    "will",
    "would",
    "should",
    "may",
    "might",
    "must",
    "has",
    "have",
    "had",
]
MARK = re.compile(r"\[\d+\]")
NEGATED = re.compile(r"\b(?:not|no|never|none|nor|neither|without|cannot)\b|n['’]t\b", re.IGNORECASE)
OWNING = {"has": "does not have", "have": "do not have", "had": "did not have"}
PARTICIPLE = re.compile(
    r"\s+(?:\w+ly |also |since |now |been\b|\w+(?:ed|en|wn|un|ung|ade|ought|ost)\b|become\b|led\b|to\b)"
)
VERBS = {
    "produces": "does not produce",
    "provides": "does not provide",
    "includes": "does not include",
    "contains": "does not contain",
    "means": "does not mean",
    "helps": "does not help",
    "causes": "does not cause",
    "occurs": "does not occur",
    "requires": "does not require",
    "shows": "does not show",
    "plays": "does not play",
    "uses": "does not use",
    "allows": "does not allow",
    "makes": "does not make",
    "reduces": "does not reduce",
    "include": "do not include",
    "contain": "do not contain",
    "won": "did not win",
    "made": "did not make",
    "became": "did not become",
    "began": "did not begin",
    "wrote": "did not write",
    "sang": "did not sing",
    "took": "did not take",
    "joined": "did not join",
    "played": "did not play",
    "released": "did not release",
    "received": "did not receive",
    "started": "did not start",
    "announced": "did not announce",
    "moved": "did not move",
    "died": "did not die",
    "married": "did not marry",
    "led": "did not lead",
    "left": "did not leave",
    "opened": "did not open",
    "served": "did not serve",
    "reported": "did not report",
}
OPPOSITES = (
    "increase decrease/increases decreases/increased decreased/increasing decreasing/higher lower/high low/"
    "highest lowest/more less/most least/larger smaller/large small/largest smallest/big little/better worse/"
    "best worst/good bad/positive negative/positively negatively/before after/early late/earlier later/"
    "first last/old new/older younger/oldest youngest/long short/longer shorter/strong weak/stronger weaker/"
    "hot cold/warm cool/warmer cooler/rise fall/rises falls/rose fell/rising falling/gain loss/success failure/"
    "successful unsuccessful/possible impossible/able unable/common rare/public private/north south/"
    "northern southern/east west/eastern western/left right/male female/men women/man woman/son daughter/"
    "father mother/brother sister/husband wife/king queen/open closed/opened closed/begin end/began ended/"
    "win lose/won lost/buy sell/bought sold/accept reject/accepted rejected/supported opposed/"
    "legal illegal/safe dangerous/easy difficult/easier harder/fast slow/faster slower/light dark/wet dry/"
    "rich poor/full empty/hard soft/deep shallow/wide narrow/thick thin/healthy unhealthy/natural artificial/"
    "major minor/maximum minimum/internal external/outside inside/above below/upper lower/forward backward/"
    "always never/all none/everyone nobody/include exclude/includes excludes/included excluded/"
    "improve worsen/improves worsens/improved worsened/arrived departed/expand shrink/expanded shrank/"
    "allow forbid/allowed forbidden/alive dead/ancient modern/modern ancient/domestic foreign/urban rural"
)
PAIRS = [tuple(pair.split()) for pair in OPPOSITES.split("/")]
SWAP = dict(PAIRS) | {b: a for a, b in PAIRS if a not in {"lower", "never", "none"}} | {"lower": "higher"}
RAISED = (
    dict.fromkeys(["some", "several", "many", "numerous", "certain"], "all")
    | dict.fromkeys(
        ["often", "sometimes", "usually", "generally", "frequently", "typically", "commonly"], "always"
    )
    | dict.fromkeys(["mostly", "partly", "partially", "largely"], "entirely")
    | {"most of": "all of", "most people": "all people"}
)
NUMBER = re.compile(r"(?<![\w.,$/'’–-])\$?(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?![\w/'’–\[-]|[.,]\d)")
MONTH = re.compile("January|February|March|April|May|June|July|August|September|October|November|December")
NAME = re.compile(r"\b[A-Z][a-z]{2,}(?: [A-Z][a-z]+){0,2}\b")
CALENDAR = frozenset(
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ]
)

Row = dict[str, Any]
Falsifier = Callable[[str, str, Sequence[str], random.Random], str | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """A supported claim of a row and what was made of it."""

    row: Row
    false: str


def negate(claim: str, _evidence: str, _names: Sequence[str], _dice: random.Random) -> str | None:
    """Insert "not", as in "is not" and "did not": at the first auxiliary, or else the first verb that is known."""
    if NEGATED.search(claim):
        return None
    for match in re.finditer(rf"\b({'|'.join(AUXILIARIES)})\b(?!['’])", claim):
        rest = claim[match.end() :]
        if not match.start() or rest[:1] != " ":
            continue
        if match[1] in OWNING and not PARTICIPLE.match(rest):
            return f"{claim[: match.start()]}{OWNING[match[1]]}{rest}"
        return f"{claim[: match.end()]} not{rest}"
    match = re.search(rf"\b({'|'.join(VERBS)})\b", claim)
    return f"{claim[: match.start()]}{VERBS[match[1]]}{claim[match.end() :]}" if match else None


def oppose(claim: str, _evidence: str, _names: Sequence[str], dice: random.Random) -> str | None:
    """One word with its opposite, any of those that have one."""
    found = [match for match in re.finditer(r"(?<![\w-])[a-z]+(?![\w-])", claim) if match[0] in SWAP]
    if not found:
        return None
    match = dice.choice(found)
    return claim[: match.start()] + SWAP[match[0]] + claim[match.end() :]


def raise_quantifier(claim: str, evidence: str, _names: Sequence[str], dice: random.Random) -> str | None:
    """A word such as "some" or "often" that the evidence has too, changed to "all" or "always"."""
    there = evidence.casefold()
    found = [
        match
        for match in re.finditer(rf"(?<![\w-])({'|'.join(RAISED)})(?![\w-])", claim)
        if re.search(rf"\b{match[0]}\b", there)
    ]
    if not found:
        return None
    match = dice.choice(found)
    return claim[: match.start()] + RAISED[match[0]] + claim[match.end() :]


def like(match: re.Match[str]) -> tuple[str, int]:
    """Years with years, days of a month with such, shares with shares, others with those of about their length."""
    plain = match[1].replace(",", "")
    around = match.string[max(0, match.start() - 10) : match.end() + 10]
    if len(plain) == 4 and "1500" <= plain <= "2050" and match[1] == plain:
        return "year", 0
    if len(plain) <= 2 and MONTH.search(around):
        return "day", 0
    return "%" if match.string[match.end() :].startswith("%") else "number", len(plain.split(".")[0]) // 2


def shared_numbers(claim: str, evidence: str) -> list[re.Match[str]]:
    """The claim's numbers that the evidence has, marks left out."""
    hidden = MARK.sub(lambda mark: "[" * len(mark[0]), claim)
    there = set(re.findall(r"\d+(?:[.,]\d+)*", evidence))
    return [match for match in NUMBER.finditer(hidden) if match[1] in there]


def new_number(claim: str, evidence: str, _names: Sequence[str], dice: random.Random) -> str | None:
    """A number that the evidence has, changed to one near it that it has not."""
    found = shared_numbers(claim, evidence)
    if not found:
        return None
    match = dice.choice(found)
    there = set(re.findall(r"\d+", evidence.replace(",", "")))
    kind, value = like(match)[0], int(float(match[1].replace(",", "")))
    lowest, highest = {"year": (value - 30, 2026), "day": (1, 28)}.get(kind, (2, 3 * value + 20))
    free = [one for one in range(lowest, min(highest, lowest + 5000) + 1) if str(one) not in there]
    new = dice.choice(free) if free else None
    return claim[: match.start(1)] + str(new) + claim[match.end(1) :] if new else None


def swap_number(claim: str, evidence: str, _names: Sequence[str], dice: random.Random) -> str | None:
    """A number that the evidence has, changed to another of its kind that it has too."""
    hidden = MARK.sub(" ", evidence)
    for match in dice.sample(found := shared_numbers(claim, evidence), len(found)):
        others = [
            other[1]
            for other in NUMBER.finditer(hidden)
            if like(other) == like(match) and other[1].replace(",", "") not in claim.replace(",", "")
        ]
        if others:
            return claim[: match.start(1)] + dice.choice(others) + claim[match.end(1) :]
    return None


def inner_names(text: str) -> list[re.Match[str]]:
    """Runs of capitalised words inside sentences, months and weekdays left out."""
    return [
        match
        for match in NAME.finditer(text)
        if re.search(r"[a-z,] $", text[: match.start()][-3:]) and not CALENDAR & set(match[0].split())
    ]


def replace_name(claim: str, evidence: str, others: Sequence[str], dice: random.Random) -> str | None:
    """A name that the evidence has, changed to one of ``others`` that the claim has not."""
    found = [match for match in inner_names(claim) if match[0] in evidence]
    if not found:
        return None
    match = dice.choice(found)
    new = sorted({one for one in others if not set(one.split()) & set(re.findall(r"\w+", claim))})
    same = [one for one in new if len(one.split()) == len(match[0].split())] or new
    return claim[: match.start()] + dice.choice(same) + claim[match.end() :] if same else None


def new_name(claim: str, evidence: str, names: Sequence[str], dice: random.Random) -> str | None:
    """A name from another row, of which the evidence has no word."""
    there = evidence.casefold()
    strange = [name for name in names if not any(word.casefold() in there for word in name.split())]
    return replace_name(claim, evidence, strange, dice)


def swap_name(claim: str, evidence: str, _names: Sequence[str], dice: random.Random) -> str | None:
    """Another name of the same evidence."""
    others = [
        match[0] for match in inner_names(evidence) if re.match(r" [a-z]|[.,]", evidence[match.end() :])
    ]
    return replace_name(claim, evidence, others, dice)


KINDS: dict[str, Falsifier] = {
    "negation inserted": negate,
    "antonym swapped": oppose,
    "quantifier raised": raise_quantifier,
    "number absent": new_number,
    "number swapped": swap_number,
    "name absent": new_name,
    "name swapped": swap_name,
}


def supported(files: Sequence[Path]) -> list[Row]:
    """The rows that people found supported."""
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    return [row for row in map(json.loads, lines) if row["supported"]]


def pairs(rows: Sequence[Row], kind: str) -> Iterator[Pair]:
    """What the falsifier makes of the rows it can change; the same for the same seed."""
    names = [match[0] for row in rows for match in inner_names(row["claim"])]
    for row in rows:
        dice = random.Random(f"{SEED} {kind} {row['id']} {row['claim']}")  # noqa: S311 - repeatable, no secret
        false = KINDS[kind](row["claim"], "\n".join(row["evidence"]), names, dice)
        if false and false != row["claim"]:
            yield Pair(row, false)


def main(file: str, kind: str) -> None:
    """Print a kind's pairs of a label file."""
    for pair in pairs(supported([Path(file)]), kind):
        print(f"- {pair.row['claim']}\n+ {pair.false}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
