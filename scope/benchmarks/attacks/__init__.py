"""Attacks on whatever reads what others wrote; one file a kind. `scope bench attack` counts those that bite."""
