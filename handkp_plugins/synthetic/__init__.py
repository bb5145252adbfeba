"""Generated pictures of hands.

``scene`` draws what is seen and how: ``views``, ``lights``, things in the hand (``grasp``), on it (``worn``,
``sleeve``) and before it, all ``meshes``. ``shading`` → ``renderer`` → ``sample`` make a picture with its labels, over
``backgrounds`` and through ``photometric``, or as ``layers`` with alpha. ``generate`` writes a set in the format of
``coco``.
"""
