"""The algorithm: a request in, stages out."""

import threading
from collections.abc import Iterator

from refiner.domain import Options, Request, Stage
from refiner.engines import Engine
from refiner.judges import Judge


def refine(
    request: Request,
    engine: Engine,
    judge: Judge,
    options: Options | None = None,
    stop: threading.Event | None = None,
) -> Iterator[Stage]:
    """Refine one draft: `Prepared`, then `Writing` many times, `Judging`, and `Finished` at the end."""
    raise NotImplementedError
