"""The sample dancer: choreography, kinematics, mesh and action, all computed."""
