"""Rebuild refiner/judges/antonyms.txt from WordNet 3.0's data files: `antonyms.py /usr/share/wordnet`.

Lexical antonyms (pointer `!`, format: wndb(5WN)) between single lower-case words, with their irregular forms
(the .exc files: rose and fell, better and worse, men and women), each pair once, sorted.
"""

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from paths import ROOT

KEPT = ROOT / "refiner/judges/lexical/antonyms.txt"
PARTS = ("adj", "adv", "noun", "verb")


def main(folder: Path) -> None:
    """Write the file; say how many pairs it has."""
    synsets = {key: found for part in PARTS for key, found in read(folder / f"data.{part}")}
    forms = irregular(folder)
    pairs = set()
    for words, pointers in synsets.values():
        for source, key, target in pointers:
            one, other = words[source - 1], synsets[key][0][target - 1]
            if all(word.isalpha() and word.islower() for word in (one, other)):
                both = product(forms.get((key[1], one), [one]), forms.get((key[1], other), [other]))
                pairs |= {" ".join(sorted(pair)) for pair in both}
    licence = [line[4:].strip() for line in (folder / "data.adj").read_text("utf-8").splitlines()[:29]]
    head = ["Antonyms of WordNet 3.0, made by tests/bench/antonyms.py.", "", *licence]
    lines = [f"# {line}".rstrip() for line in head] + sorted(pairs)
    KEPT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(pairs), "pairs")


def irregular(folder: Path) -> dict[tuple[str, str], list[str]]:
    """A verb's or adjective's part of speech and word → the word and its irregular forms."""
    forms: dict[tuple[str, str], list[str]] = {}
    for part, kind in (("verb", "v"), ("adj", "a"), ("noun", "n")):
        for line in (folder / f"{part}.exc").read_text("utf-8").splitlines():
            form, base = line.split()[:2]
            if kind != "a" or base in {"good", "bad", "well", "ill", "little", "far"}:
                forms.setdefault((kind, base), [base]).append(form)
    return forms


def read(
    path: Path,
) -> Iterator[tuple[tuple[str, str], tuple[list[str], list[tuple[int, tuple[str, str], int]]]]]:
    """Each synset's key with its words and its lexical antonyms: (word here, key there, word there), from 1."""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("  "):
            continue
        offset, _, kind, count, *rest = line.split(" | ")[0].split()
        words = [word.split("(")[0] for word in rest[: 2 * int(count, 16) : 2]]
        pointed, *fields = rest[2 * int(count, 16) :]
        pointers = [
            (int(ends[:2], 16), (place, there), int(ends[2:4], 16))
            for sign, place, there, ends in zip(*[iter(fields[: 4 * int(pointed)])] * 4, strict=True)
            if sign == "!" and ends != "0000"
        ]
        yield (offset, "a" if kind == "s" else kind), (words, pointers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
