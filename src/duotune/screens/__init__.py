"""The app's screens: each lays out its widgets, reads in threads, and shows what came; a folder for each."""
