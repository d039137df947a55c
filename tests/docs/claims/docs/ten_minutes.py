"""The numbers of docs/ten_minutes.md; its code has a test of its own."""

SETTINGS = [
    "these 200 trainings are few",
    "here 3 in place of 10",
    "with 178 rows and five seeds",  # of wine
]
