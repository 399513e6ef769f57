"""What operators do to a running cluster: look, go back, send again. Plans are pure; applying is apart."""
