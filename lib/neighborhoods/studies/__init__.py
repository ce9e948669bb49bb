"""The experiments of the chapters: a spec in, a tidy table out, through the store."""
