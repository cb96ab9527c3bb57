"""What a run costs, beside what peers and the bare minimum cost, measured together."""
