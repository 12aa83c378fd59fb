"""What is done to the cell, and the running of it."""
