"""amd64: see trampolines.Arch and trampolines.arch.AMD64."""
