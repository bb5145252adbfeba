"""The code that the command lines of the tools share."""
