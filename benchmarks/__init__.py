"""What Tidegate measures of itself: seeded, and against written numbers."""
