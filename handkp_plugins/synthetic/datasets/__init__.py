"""Recipes of generated data sets, and the program that writes them."""
