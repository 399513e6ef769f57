"""What operators do to a running cluster. Plans are pure, and applying them is apart."""
