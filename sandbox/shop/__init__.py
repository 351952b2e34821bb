"""The sample application that the sandbox releases, and its history."""
