"""From files of measurements to what they say of the cell: one report."""
