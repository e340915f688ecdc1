"""The names of the rsspot 0.3 package, for programs written for it. Adds no ability: each name leads to one of ours."""
