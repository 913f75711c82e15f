"""What a person sees: pictures, the report page, the terminal."""
