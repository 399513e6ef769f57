"""What happens in a publisher or subscriber, told to whoever wants to measure it."""
