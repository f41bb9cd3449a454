"""Parts of somebody else."""
