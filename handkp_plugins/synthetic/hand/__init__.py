"""A posable hand without networks: joint angles and a shape in; vertices, normals and keypoints out."""
