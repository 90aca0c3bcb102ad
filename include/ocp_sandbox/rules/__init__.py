"""What the platform does with numbers and sets, and what it refuses: free of HTTP."""
