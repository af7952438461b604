# Format, length, templates with their examples.
