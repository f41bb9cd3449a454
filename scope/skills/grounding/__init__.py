"""How an unknown is answered: sentences that define it, plain facts, arithmetic, and what the prompt itself says."""
