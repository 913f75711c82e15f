"""The series' experiments as pictures."""
