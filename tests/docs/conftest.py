# The sources of numbers are read by test_numbers.py. Some of these files have names of
# examples, for which they would be taken if they were collected.
collect_ignore = ["claims"]
