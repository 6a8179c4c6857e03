"""Speech engines behind one contract, and the supervised process that runs them."""
