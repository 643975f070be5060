"""What datasets of uploads are called: apart, so that the web process can ask for it without what parses."""

UPLOADS = "files/"
"""What a person's name of an upload begins with."""
UPLOADED = f"{UPLOADS}upload"
"""What the store calls all of them. Content of this name that no row holds was left by a commit that was killed."""
