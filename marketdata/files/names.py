"""What the store calls uploads: a name apart, so that the web process can ask for it without what parses."""

UPLOADED = "files/upload"
"""Content of this name that no row holds was left by a commit that was killed."""
