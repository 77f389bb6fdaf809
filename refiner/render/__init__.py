"""Values in, escaped HTML and plain words out. The only place that rounds a number.

Every function is pure. Text from a person or a model is escaped once, in `text.show`; nothing here knows Gradio.
"""
