"""Reads linked programs: what the linker made of stubs, bodies and descriptors. For interactive commands."""
