"""The web page: uploads in, drawn hands and measurements out."""
