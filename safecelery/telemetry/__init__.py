"""What operators see: events, counted and logged. Payloads never appear here."""
