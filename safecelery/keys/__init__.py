"""What signs and what is trusted: schemes (how to verify), sources (where private keys live), ring and trust store."""
