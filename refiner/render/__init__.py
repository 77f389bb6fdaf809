"""Turns values into escaped HTML and plain words. No other package rounds numbers.

Every function is pure. A text of a person or a model is escaped once, in `html_text`. Nothing here
knows Gradio.
"""
