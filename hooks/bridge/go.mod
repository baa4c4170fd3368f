module github.com/otelobj/otelobj/hooks/bridge

go 1.24.0

// Imports below otelobj.private/ and otelobj.hooks/ are found by the link step, and by tests/lib/bridge_rig.py: they are no modules.
