"""The relay's consumers: each follows the log at its own pace, from a place of its own."""
