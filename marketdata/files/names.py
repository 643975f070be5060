"""What datasets of uploads are called: apart, so that the web process can ask for it without what parses."""

UPLOADS = "files/"
"""What a person's name of an upload begins with."""
AN_UPLOAD = "an upload"
"""Source of such an entry of the store. Content without another and without a row was left by a killed commit."""
