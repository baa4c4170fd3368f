"""What will be done to a link, as values: nothing here writes a byte."""
