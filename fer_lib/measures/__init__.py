"""What is measured on faces and networks, beyond the test of an experiment, and stored in `results/`."""
