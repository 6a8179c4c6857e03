"""Jobs in motion: queue, workers, one job from end to end."""
