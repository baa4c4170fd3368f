"""Everything that is kept on disk, and work that is shared among processes."""
