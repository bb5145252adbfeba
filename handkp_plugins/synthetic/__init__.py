"""Generated images, clips and data sets of hands with exact labels."""
