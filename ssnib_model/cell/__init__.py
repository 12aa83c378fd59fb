"""What the cell is: its quantities, how they follow from one another, sets of their values."""
