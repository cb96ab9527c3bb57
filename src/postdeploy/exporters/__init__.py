"""One file per report format; each a pure function of the verdict document."""
