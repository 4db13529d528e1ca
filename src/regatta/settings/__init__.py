"""Settings: pydantic models, one per thing that can be set. Percents here, fractions inside."""
