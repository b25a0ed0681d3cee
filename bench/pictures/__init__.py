"""Pictures: figures on a stage, contact sheets, lineups and plots; most need bpy."""
