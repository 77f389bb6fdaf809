"""One run of one visitor: its place in the queue, what the page shows of it, how it is stopped, how long it may take."""
