"""Everything that is kept on disk, and the work that is shared out."""
