"""Several trainings and tests as one experiment."""
