"""What a link will do, as values: nothing here writes anything."""
