"""The reading side of dead letters: open the queue, select, replay, and the book of replays."""
