"""Files of other tools: questions and labels to them, and answers back."""
