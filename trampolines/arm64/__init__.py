"""arm64: see trampolines.Arch and trampolines.arch.ARM64."""
