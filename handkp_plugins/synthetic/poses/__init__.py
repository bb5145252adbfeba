"""Poses of hands: named gestures and letters, and samplers of random and recorded poses."""
