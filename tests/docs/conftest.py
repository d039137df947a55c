# Where pages have their numbers from is read by test_numbers.py. Some of these files have
# the names of examples, for which they would be taken if they were collected.
collect_ignore = ["claims"]
