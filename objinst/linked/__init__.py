"""Linked programs, read: what the linker made of stubs, bodies and descriptors. For commands that people type."""
