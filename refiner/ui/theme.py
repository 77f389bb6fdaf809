"""The theme, stylesheet and scripts that the page is launched with. Nothing comes from other hosts."""

import html
from typing import Any

import gradio as gr
from gradio.themes.utils import colors
from gradio.themes.utils.fonts import LocalFont

from refiner.settings import Settings
from refiner.ui.assets import ASSETS_FOLDER, read_asset

_INK = colors.Color(
    "#f8f8f6", "#f1f1ee", "#e4e4df", "#d0d1cc", "#a5a8a8", "#6b7076", "#565b62", "#3a3f46", "#252a30", "#191d22", "#111418",
    name="ink",
)  # fmt: skip
_BLUE = colors.Color(
    "#eef3fb", "#dbe6f6", "#bcd0ee", "#92b3e3", "#7aa2dd", "#3e6db5", "#2a5598", "#20457c", "#1b3863", "#17304f", "#0f2038",
    name="refiner",
)  # fmt: skip


def build_theme() -> gr.themes.Base:
    """Build Gradio's plainest theme in our colours, with the fonts that Gradio itself serves."""
    base = gr.themes.Base(
        primary_hue=_BLUE,
        secondary_hue=_BLUE,
        neutral_hue=_INK,
        radius_size=gr.themes.sizes.radius_md,
        # Gradio's file of the weight 600 lacks letters
        font=(LocalFont("IBM Plex Sans", (400, 700)), "system-ui", "sans-serif"),
        font_mono=(LocalFont("IBM Plex Mono", (400,)), "ui-monospace", "monospace"),
    )
    return base.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="#e7e9ec",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="#a4abb5",
        background_fill_primary="white",
        background_fill_primary_dark="#1a1e24",
        background_fill_secondary="*neutral_100",
        background_fill_secondary_dark="#14181d",
        border_color_primary="*neutral_200",
        border_color_primary_dark="#2c323a",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="#c3c9d2",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="#d6dae1",
        block_title_text_weight="600",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="#a4abb5",
        input_background_fill="white",
        input_background_fill_dark="#14181d",
        input_border_color="*neutral_300",
        input_border_color_dark="#3a414b",
        input_border_width="1px",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="#8d95a1",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_400",
        button_primary_background_fill_hover_dark="*primary_300",
        button_primary_text_color="white",
        button_primary_text_color_dark="#0d1624",
        button_secondary_background_fill="white",
        button_secondary_background_fill_dark="#222831",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="#3a414b",
        button_border_width="1px",
        link_text_color="*primary_600",
        link_text_color_dark="*primary_300",
        color_accent_soft_dark="#1d2b40",
    )


def launch_options(settings: Settings) -> dict[str, Any]:
    """Make the arguments of `Blocks.launch`, the same on every machine.

    The stylesheet is in the head. As ``css`` it would apply inside Gradio's container only, but the diff's
    switch sets an attribute of the root element.
    """
    script = "".join(read_asset(name) for name in ("refiner.js", "page.js"))
    style = read_asset("refiner.css")
    description = html.escape("Rewrites a draft so that every claim cites a source, and shows what changed.")
    return {
        "server_name": settings.host,
        "server_port": settings.port,
        "theme": build_theme(),
        "head": f'<meta name="description" content="{description}"><style>{style}</style><script>{script}</script>',
        "favicon_path": ASSETS_FOLDER / "favicon.svg",
        "footer_links": [],
        "show_error": True,
        "run_history": False,
        "max_threads": 128,  # a visitor in the queue holds a thread for half a second at a time
    }
