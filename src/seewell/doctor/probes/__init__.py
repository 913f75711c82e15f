"""Measure: values only, no verdicts, and no side effects on the model."""
