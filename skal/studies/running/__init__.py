"""Running the cells of a study in parallel, and saving them in a folder."""
