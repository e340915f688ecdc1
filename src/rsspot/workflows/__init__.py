"""The sentences a user says, each as one function over the rooms below."""
