// Fixtures.
