"""Experiments of several trainings and tests."""
