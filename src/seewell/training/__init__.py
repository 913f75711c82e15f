"""Fitting: one compiled update, the loop around it, and small factories for each choice."""
