"""One file per verb of the `df2net` command; the table of verbs is in `df2net_hub.cli`."""
