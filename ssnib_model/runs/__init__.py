"""Questions asked of many rate tests."""
