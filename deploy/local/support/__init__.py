"""What the scripts of the local parts share: installing once, and the life of one process."""
