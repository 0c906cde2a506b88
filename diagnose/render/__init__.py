"""Report -> text.  A renderer reads a report and nothing else; it measures nothing."""
