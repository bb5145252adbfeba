"""The hand itself, without networks.

``skeleton`` names the 21 keypoints and knows other data sets' orders. ``model`` is the interface of posable hands (pose
and shape in; vertices, normals and keypoints out) and holds the procedural one, which is made of ``pose`` (joint
angles and limits), ``shape`` (a person's proportions), ``kinematics`` (angles to bones), ``implicit`` (the solid at
rest), ``template`` (its mesh and skinning weights), ``details`` (creases, nails, tendons) and ``skin`` (colours).
``gestures`` and ``fingerspelling`` name poses, ``pose_sources`` draws them (``pinching`` closes pinches), ``proxies``
rejects those that pass through themselves. ``recorded`` reads recorded keypoints, to which ``inverse_kinematics`` fits
poses (``fitting_model``, ``fitting_starts`` and ``fitting_steps`` are its parts). ``rigged`` makes hands of glTF files
(``gltf`` and ``gltf_file`` read them, ``rig_joints`` knows their joints, ``rig_mesh``, ``rig_fitting``, ``surface`` and
``weld`` bring them to our bones).
"""
