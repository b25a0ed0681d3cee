"""The sample dancer: choreography, kinematics, mesh and action, all made by code."""
