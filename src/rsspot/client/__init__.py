"""The front door for code: clients, the organisation they speak for, and a picture of the live world."""
