"""What makes the API that of Spot: admission, the auction, controllers, prices. Answers no requests about objects."""
