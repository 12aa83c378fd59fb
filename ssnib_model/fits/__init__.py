"""Parameters fitted to measured data."""
