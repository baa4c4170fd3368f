"""One link, from argv to the linked program."""
