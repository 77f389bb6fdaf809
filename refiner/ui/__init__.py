"""The page: the only package that imports Gradio. Knows nothing of how refining works.

Gradio and huggingface_hub must not report usage to anyone. Both read these variables once, at import, so they
are set here, before the first import of either.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
