"""The page: the only package that imports Gradio. It knows fields and buttons, nothing of how refining works.

Nothing may phone home, and both libraries read this once, when they are imported: so it is set here, first.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
