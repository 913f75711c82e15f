"""Pure functions from statistics to findings; every threshold names its source."""
