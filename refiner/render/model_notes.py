"""Which model writes, and what to know if that is not the refiner."""

from refiner.domain import ModelInfo
from refiner.render.html_text import Html, html, isolate, link

CARD_URL = "https://huggingface.co/lihaoxin2020/qwen3-4B-refiner-rubric-rl-step50"


def model_line(model: ModelInfo, *, ready: bool = True, problem: str = "") -> Html:
    """The line at the top of the page that names the model.

    It says so if that is not the refiner or cannot write.
    """
    state = (
        ""
        if ready
        else html(' <span class="loading">{words}</span>', words="not loaded" if problem else "loading…")
    )
    other = "" if model.is_refiner else Html(' <span class="tag warn">not the refiner</span>')
    return html(
        '<p class="model">Writes: <b>{name}</b>{other}{state}</p>',
        name=isolate(model.name),
        other=other,
        state=state,
    )


def model_note(model: ModelInfo, *, quotes: bool = False, problem: str = "") -> Html:
    """A notice for when another model than the refiner writes, or none can. It says what to do. Else nothing.

    ``quotes`` says that the model quotes sentences rather than writing its own.
    """
    if problem:
        return html('<div class="notice" role="alert"><p>{problem}</p></div>', problem=isolate(problem))
    if model.is_refiner:
        return Html()
    expect = ": expect quotes rather than prose" if quotes else ""
    return html(
        '<div class="notice" role="note"><p>'
        "<b>{name}</b> writes in place of the refiner. It is held to the same form (every citation is a "
        "given source) but was not trained to refine{expect}. The refiner is {link}: on a machine with a "
        "GPU, start with "
        "<code>REFINER_MODEL=lihaoxin2020/qwen3-4B-refiner-rubric-rl-step50</code>.</p></div>",
        name=isolate(model.name),
        expect=expect,
        link=link(CARD_URL, "qwen3-4B-refiner-rubric-rl-step50"),
    )
