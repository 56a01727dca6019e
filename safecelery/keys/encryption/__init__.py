"""Keys that bodies and results are encrypted to: schemes, private keys, and their entries in the trust store."""
