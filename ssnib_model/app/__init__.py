"""The explorer: a page with sliders, served on this machine only."""
