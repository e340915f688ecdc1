"""What every test may ask for comes with the package: see rsspot.testing."""
