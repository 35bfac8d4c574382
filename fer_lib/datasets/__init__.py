"""One loader per data set, drawing of synthetic faces, and finding, reading and caching of image files."""
