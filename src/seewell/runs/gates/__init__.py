"""What a foreign file may contain, one kind of content a module; `seewell.runs.gate` joins them."""
