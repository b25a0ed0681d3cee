"""Job folders, tasks and reports for render farms."""
