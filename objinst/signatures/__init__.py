"""The types of functions: one file a source, in the order of trust."""
