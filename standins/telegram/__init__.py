"""Telegram as a local server: the Bot API for a bot, a chat page and /control for its users.

One stand-in plays one bot, in private chats. Any well-formed token works, and the bot's identity is
derived from it.
"""
