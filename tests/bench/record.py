"""Store what the embedded model writes on real cases, for `replay.py`: `record.py CASES.jsonl [--limit N]`.

Greedy, in the forms that leave it most to say. Writes tests/data/replays.jsonl.gz: a case a line, with the tokens of
each answer under ``runs``; the same cases and model make the same file.
"""

import argparse
import gzip
import json
import threading
from pathlib import Path

from replay import STORED

from refiner import batch, pipeline
from refiner.domain import Form, Options
from refiner.engines.choose import local_engine
from refiner.prompts.prompt_file import PromptTemplate
from refiner.settings import Settings

FORMS: tuple[Form, ...] = ("strict", "free")
TOKENS = 200


def main() -> None:
    """Run every case in every form."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", type=Path)
    parser.add_argument("--limit", type=int)
    given = parser.parse_args()
    engine, template = local_engine(Settings.from_environment({})), PromptTemplate.from_file()
    lines = []
    for case in list(batch.read_cases(given.cases))[: given.limit]:
        draft, prompt = pipeline.read_and_prompt(batch.request_of(case), engine, template)
        runs = {}
        for form in FORMS:
            job = pipeline.generation_request(prompt, draft, engine, Options(TOKENS, form))
            *_, _last = engine.stream(job, threading.Event())
            read = engine._cache.tokens
            runs[form] = read[len(engine.loaded().prompt_tokens(job.messages)) :]
        row = {"id": case.id, **{key: case.row[key] for key in ("question", "draft", "sources")}}
        lines.append(json.dumps({**row, "budget": TOKENS, "runs": runs}, ensure_ascii=False) + "\n")
        print(case.id, {form: len(tokens) for form, tokens in runs.items()}, flush=True)
    with gzip.GzipFile(STORED, "wb", mtime=0) as out:
        out.write("".join(lines).encode())


if __name__ == "__main__":
    main()
