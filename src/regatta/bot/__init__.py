"""The pure decision core: events in, records and commands out. No I/O, no clock, no dice."""
