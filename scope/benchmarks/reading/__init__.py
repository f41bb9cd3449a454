"""Prompts whose truth is known, and how much of it a specification says."""

#: The sets of sentences that are drawn from templates; rules are tuned on half of each.
SETS = ("chains", "conceptmix_like", "comparisons", "denials", "subsets", "pronouns", "comma")
