"""Tables, intervals and verdicts, made from `results/` alone."""
