"""Hands of glTF files as posable hands."""
