"""Skeletons, motions and clip files; contacts, body parts, inverse kinematics, retargeting."""
