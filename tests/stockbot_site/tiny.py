"""What test and tiny application agree on."""

LIMIT = 100_000  # bytes of a body
PIECES = 64  # of one MB each, in the long answer
