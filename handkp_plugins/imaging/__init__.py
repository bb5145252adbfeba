"""What generated and composited images share: backgrounds and what a camera does to an image."""
