"""Generated pictures of hands: ``scene`` (what is seen and how) → ``shading`` → ``renderer`` → ``sample`` (over
``backgrounds``, through ``photometric``, with labels) → ``generate`` (a set on disk, in the format of ``coco``).
"""
