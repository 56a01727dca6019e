"""What plugs into other people's frameworks."""
