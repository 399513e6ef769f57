"""The REST resources, a module each: functions from the store and a request to the answer's value."""
