"""Pictures of the findings: functions that take `ax` and return it, in one style."""
