"""A chat with an OpenAI-compatible server: the HTTP client, and the body of a completion. Engines and judges use it."""
