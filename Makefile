demo test check setup bench soak lock: ; python3 run.py $@
.PHONY: demo test check setup bench soak lock
