"""What came out: half-cycles, tables, breakdowns, plots, and the record to repeat it."""
