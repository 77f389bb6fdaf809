"""One run as a document: Markdown, an SVG figure, or one HTML page."""
