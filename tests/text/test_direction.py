"""The direction of a text is that of its first letter that has one."""

from refiner.text.direction import runs_right_to_left


def test_the_first_strong_letter_says_which_way_a_text_runs() -> None:
    assert runs_right_to_left("(1) لماذا")
    assert runs_right_to_left("שלום hello")
    assert not runs_right_to_left("Why لماذا?")
    assert not runs_right_to_left("123")
