"""Migrations of the journal's database. They only add; none changes trading data."""
