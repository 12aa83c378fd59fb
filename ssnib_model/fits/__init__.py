"""Fits of parameters to measured data."""
