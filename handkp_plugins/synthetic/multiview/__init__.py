"""One hand before several cameras at once, and noisy labels of it."""
