"""One file per verb of the `df2net` command; the table of verbs is in `df2net_hub.cli`."""

DONE, FAILED, NO_FACE = 0, 1, 3  # exit statuses; argparse itself exits with 2
