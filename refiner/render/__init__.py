"""Values into escaped HTML; the only place that rounds."""
