"""What is drawn over editors: strips of regions, marks of feet and body parts."""
