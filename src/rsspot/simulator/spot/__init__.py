"""The Spot service behind the API: admission, auctions, controllers, prices. Does not serve requests for objects."""
