"""Long runs, with a target of their own: `python3 run.py soak kill --cycles 200`."""
