"""Machine code per architecture: encoders, sequences, and the finders that read compiled functions. Imports nothing from objinst."""
