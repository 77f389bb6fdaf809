"""One run as a document: Markdown, an SVG figure, one HTML page."""
