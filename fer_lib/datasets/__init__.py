"""One loader for each data set, the faces that are drawn, and how image files are found, read and cached."""
