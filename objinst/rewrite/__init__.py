"""Edits on object models: the plan applied. Nothing here decides what is hooked."""
