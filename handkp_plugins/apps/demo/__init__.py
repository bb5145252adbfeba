"""The demo: images, videos and cameras in; followed and smoothed hands out, as images and JSON."""
