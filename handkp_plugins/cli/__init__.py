"""What the command lines of the tools share."""
