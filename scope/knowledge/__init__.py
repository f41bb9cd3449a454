"""What can be looked things up in: the user's own folder, facts that are packaged, and allow-listed hosts."""
