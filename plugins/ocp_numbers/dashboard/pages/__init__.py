"""The pages, one module each: what is asked for, what is shown."""
