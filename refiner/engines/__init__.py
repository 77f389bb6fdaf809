"""Who writes. `protocol` is the seam, `choose` picks an engine.

`local` runs transformers in this process, `scripted` replays given texts for tests and page work.
"""
