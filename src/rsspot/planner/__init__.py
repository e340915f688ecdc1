"""Desired and live to a Plan. Pure: no network, no files, no clock; the same input gives the same digest."""
