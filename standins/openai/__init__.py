"""OpenAI as a local server: Responses by the requested schema, and moderation."""
