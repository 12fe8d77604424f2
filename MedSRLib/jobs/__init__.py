"""Jobs: one JSON file in, a stream of events out. What the command line, Slicer and clusters all run."""
