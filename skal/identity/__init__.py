"""Identity of searches and studies: data, parameters and code as text."""
