"""The front door for code: clients, the organization they speak for, and a picture of the live world."""
