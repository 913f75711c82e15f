"""What is wrong: measured values, rules that judge them, remedies."""
