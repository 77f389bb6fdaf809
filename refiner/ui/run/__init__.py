"""One run of one visitor: its place in the queue, its views, how it is stopped, how long it may take."""
